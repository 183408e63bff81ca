/** From this length on, a name that contains what was typed is near to it. */
const PART_LENGTH_MIN = 4

/**
 * The name in `known` that takes the fewest edits to reach from `typed`, dashes and case aside; undefined when every name would take more
 * edits than half its length and none contains `typed`.
 */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, edits: editsBetween(bare(typed), bare(name)) }))
    .filter(({ name, edits }) => isNear(bare(typed), bare(name), edits))
    .sort((one, other) => one.edits - other.edits)
  return ranked[0]?.name
}

function isNear(typed: string, name: string, edits: number): boolean {
  return edits <= Math.max(typed.length, name.length) / 2 || (typed.length >= PART_LENGTH_MIN && name.includes(typed))
}

function bare(name: string): string {
  return name.replace(/^-+/, '').toLowerCase()
}

/** Levenshtein distance: characters inserted, deleted or replaced. */
function editsBetween(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[to.length] ?? 0
}
