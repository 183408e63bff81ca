import type { EntryEffect } from './settle-entry.ts'
import type { Take } from './exchange.ts'
import { invariant } from './errors.ts'
import { isUnits } from './units.ts'

/**
 * S3, takes: in arrival order, from positive pools. Each is granted over all its entries or not at all. Of a run of `n` equal
 * requests the first k are granted. No units are taken first and returned later.
 * @param isFrozen F3: none is granted
 * @returns k of each run
 */
export function grantTakes(takes: readonly Take[], effects: readonly EntryEffect[], isFrozen: boolean): number[] {
  return takes.map((take) => grantRun(take, effects, isFrozen))
}

function grantRun(take: Take, effects: readonly EntryEffect[], isFrozen: boolean): number {
  assertTake(take, effects.length)
  if (isFrozen) return 0
  let granted = take.n
  for (const [index, cost] of take.need) granted = Math.min(granted, affordable(effects[index], cost))
  if (granted === 0) return 0
  for (const [index, cost] of take.need) {
    const effect = effects[index]
    invariant(effect?.kind === 'budget', `a take needs entry ${index}, which is no budget`)
    effect.draft.take(granted * cost)
  }
  return granted
}

function affordable(effect: EntryEffect | undefined, cost: number): number {
  if (effect?.kind !== 'budget') return 0
  return effect.draft.pool <= 0 ? 0 : Math.floor(effect.draft.pool / cost)
}

/** Engines build takes. A run of -1, or one entry twice, would grant units that do not exist, so it is refused as a bug. */
function assertTake({ need, n }: Take, entries: number): void {
  invariant(isUnits(n), `a take is for a number of requests, got ${n}`)
  invariant(need.length > 0, 'a take needs at least one entry')
  invariant(
    need.length === 1 || new Set(need.map(([index]) => index)).size === need.length,
    'a take needs each entry once',
  )
  for (const [index, cost] of need) {
    invariant(isUnits(index) && index < entries, `a take needs entry ${index} of ${entries}`)
    invariant(isUnits(cost) && cost > 0, `a take costs at least 1 unit, got ${cost}`)
  }
}
