/**
 * The name in `known` that takes the fewest edits to reach from `typed`, dashes aside; undefined when every name would take more
 * edits than half its length.
 */
export function nearest(typed: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, edits: editsBetween(bare(typed), bare(name)) }))
    .filter(({ name, edits }) => edits <= Math.max(bare(typed).length, bare(name).length) / 2)
    .sort((one, other) => one.edits - other.edits)
  return ranked[0]?.name
}

function bare(name: string): string {
  return name.replace(/^-+/, '')
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
