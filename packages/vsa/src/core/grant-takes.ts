import { invariant } from './errors.ts'
import type { Take } from './exchange.ts'
import type { TakeOutcome } from './reservations/messages.ts'
import { budgetKey, grantRemembered, grantWaterfall, type TakeScene } from './reservations/takes.ts'
import type { EntryEffect } from './settle-entry.ts'
import { isUnits } from './units.ts'

export interface Granted {
  /** How many of each run. */
  readonly granted: readonly number[]
  /** Of the takes that have one, by their index. */
  readonly outcomes: Readonly<Record<number, TakeOutcome>>
}

/**
 * S3, takes: in arrival order, from positive pools. Each is granted over all its entries or not at all; a waterfall over their sum. Of a run of `n` equal
 * requests the first k are granted. No units are taken first and returned later. F3: a frozen store grants none.
 */
export function grantTakes(takes: readonly Take[], scene: TakeScene): Granted {
  const outcomes: Record<number, TakeOutcome> = {}
  const granted = takes.map((take, at) => {
    assertTake(take, scene)
    if (take.remember === undefined && take.first !== true) return grantRun(take, scene.effects, scene.isFrozen)
    const result =
      take.remember === undefined ? grantWaterfall(take, scene) : grantRemembered(take, take.remember, scene)
    if (result.outcome !== undefined) outcomes[at] = result.outcome
    return result.granted
  })
  return { granted, outcomes }
}

function grantRun(take: Take, effects: readonly EntryEffect[], isFrozen: boolean): number {
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
function assertTake({ need, n, first, remember }: Take, { entries, effects }: TakeScene): void {
  invariant(isUnits(n), `a take is for a number of requests, got ${n}`)
  invariant(need.length > 0, 'a take needs at least one entry')
  invariant(
    need.length === 1 || new Set(need.map(([index]) => index)).size === need.length,
    'a take needs each entry once',
  )
  for (const [index, cost] of need) {
    invariant(isUnits(index) && index < effects.length, `a take needs entry ${index} of ${effects.length}`)
    invariant(isUnits(cost) && cost > 0, `a take costs at least 1 unit, got ${cost}`)
  }
  if (first === true) assertWaterfall(need, effects)
  if (remember === undefined) return
  invariant(n <= 1, `a take that is remembered is one request, got ${n}`)
  invariant(remember.id.length > 0 && remember.id.length <= ID_LENGTH_MAX, 'a take is remembered under an id')
  invariant(isUnits(remember.ttlMs), `a reservation ends after a time, got ${remember.ttlMs}`)
  const keys = need.flatMap(([index]) => budgetKey(entries[index]))
  invariant(keys.length > 0 && new Set(keys).size === keys.length, 'a take is remembered for budgets, each key once')
}

/** V1, V3 */
function assertWaterfall(need: Take['need'], effects: readonly EntryEffect[]): void {
  const cost = need[0]?.[1]
  for (const [at, [index, units]] of need.entries()) {
    invariant(units === cost, `the sources of a waterfall are asked for the same units, got ${cost} and ${units}`)
    const isCounter = effects[index]?.kind === 'counter'
    invariant(!isCounter || (at > 0 && at === need.length - 1), 'a counter is the last source of a waterfall')
  }
}

/** In characters. */
export const ID_LENGTH_MAX = 256
