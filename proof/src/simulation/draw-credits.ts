import type { OnExpire } from '../../../packages/vsa/dist/index.js'
import type { CreditOperation, CreditRequest } from './credit-operations.ts'
import { Rng } from './rng.ts'
import type { Action, Setting } from './script.ts'
import { keepsReservations } from './store-options.ts'

/** The share of runs with credits: the others keep their room for everything else. */
const RUNS = 0.6
/** The share of those that go on a week later. */
const WEEKS = 0.2
const WEEK_AND_A_DAY_MS = 8 * 86_400_000
/** By then upkeep has been called since. */
const LEAP_SLACK_MS = 1_500
const IDS = 6
const HOUR_MS = 3_600_000
const TTLS_MS: readonly [number, ...number[]] = [1, 40, 300, 300, 1_500, 3_000, HOUR_MS, 400 * 24 * HOUR_MS]
/** How long after a request something else is done with it, in ms. */
const DELAYS_MS: readonly [number, ...number[]] = [0, 0, 1, 5, 30, 30, 120, 400, 1_600]

/** A request, and when the last action about it comes. */
interface Drawn {
  readonly request: CreditRequest
  readonly operation: Extract<CreditOperation, { kind: 'reserve' | 'admit' }>
  atMs: number
}

/** R, I, V: actions about credits for a script, in order of time. They have a stream of their own, so that a seed draws everything else as before. */
export function drawCredits(seed: number, setting: Setting, endMs: number): readonly Action[] {
  const rng = new Rng(seed, 'credits')
  const usable = setting.budgets.flatMap(({ key }, index) => (key === setting.corrupt ? [] : index))
  if (!keepsReservations(setting.store) || usable.length === 0 || !rng.chance(RUNS)) return []
  const drawn: Drawn[] = []
  const actions: Action[] = []
  const count = rng.whole(6, 70)
  for (let number = 0; number < count; number += 1) {
    const known = rng.chance(0.3) ? undefined : rng.pickAny(drawn)
    const place = rng.whole(0, setting.places - 1)
    if (known === undefined) {
      const operation = asking(rng, setting, usable, number)
      const atMs = rng.random() * endMs
      drawn.push({ request: operation.request, operation, atMs })
      actions.push({ atMs, place, ...operation })
      continue
    }
    known.atMs = Math.min(endMs, known.atMs + drawDelay(rng, known))
    actions.push({ atMs: known.atMs, place, ...following(rng, known, number, usable) })
  }
  if (rng.chance(WEEKS)) actions.push(...aWeekLater(rng, setting, drawn, usable, endMs))
  return actions
    .map((action) => ({ ...action, atMs: Math.round(action.atMs * 10) / 10 }))
    .toSorted((one, other) => one.atMs - other.atMs)
}

/**
 * R6: the store's clock is a week and a day later. Upkeep forgets nothing within one lease lifetime after that. Then everything that was asked for under an id is
 * asked for again, settled or given back: most of it is forgotten, some has just ended, some is still open.
 */
function aWeekLater(
  rng: Rng,
  setting: Setting,
  drawn: readonly Drawn[],
  usable: readonly number[],
  endMs: number,
): readonly Action[] {
  const forgottenMs = endMs + 100 + setting.leaseTtlMs + LEAP_SLACK_MS
  const jump: Action = { atMs: endMs + 100, place: 0, kind: 'jump', who: 'store', byMs: WEEK_AND_A_DAY_MS }
  const later = drawn.flatMap((one, tag): Action | [] => {
    if (one.request.id === null) return []
    const operation = rng.chance(0.6) ? one.operation : following(rng, one, tag, usable)
    const atMs = forgottenMs + 600 * rng.random()
    return { atMs, place: rng.whole(0, setting.places - 1), ...operation }
  })
  return [jump, ...later]
}

/** Often just about the end of a reservation. */
function drawDelay(rng: Rng, { operation }: Drawn): number {
  if (operation.kind === 'reserve' && operation.ttlMs < HOUR_MS && rng.chance(0.2))
    return operation.ttlMs + rng.whole(-5, 40)
  return rng.pick(DELAYS_MS) * (0.5 + rng.random())
}

function asking(rng: Rng, setting: Setting, usable: readonly number[], tag: number): Drawn['operation'] {
  const request = drawRequest(rng, setting, usable, tag)
  const isReserve = request.form !== 'first' && request.id === null ? true : rng.chance(0.55)
  if (isReserve) {
    const onExpire: OnExpire = rng.chance(0.5) ? 'return' : 'capture'
    return { kind: 'reserve', request: withoutOverage(request), ttlMs: rng.pick(TTLS_MS), onExpire }
  }
  const isDecided = rng.chance(0.6)
  return {
    kind: 'admit',
    request: isDecided ? request : withoutOverage(request),
    isDecided,
    deadlineMs: rng.chance(0.8) ? null : rng.whole(1, 400),
  }
}

/** What is told without shares cannot be booked on a counter by the harness. */
function withoutOverage(request: CreditRequest): CreditRequest {
  return request.id === null ? { ...request, overage: null } : request
}

function drawRequest(rng: Rng, setting: Setting, usable: readonly number[], tag: number): CreditRequest {
  const form = usable.length === 1 ? 'one' : rng.pick<CreditRequest['form']>(['one', 'one', 'all', 'first', 'first'])
  const budgets = form === 'one' ? [rng.pickAny(usable) ?? 0] : severalOf(rng, usable)
  const isKept = form === 'first' ? rng.chance(0.55) : rng.chance(0.92)
  return {
    tag,
    budgets,
    form,
    overage: form === 'first' && rng.chance(0.4) ? rng.whole(0, setting.counters.length - 1) : null,
    units: drawUnits(rng),
    id: isKept ? drawId(rng, tag) : null,
  }
}

function severalOf(rng: Rng, usable: readonly number[]): readonly number[] {
  const left = [...usable]
  const count = Math.min(left.length, rng.whole(2, 3))
  return Array.from({ length: count }, () => left.splice(rng.whole(0, left.length - 1), 1)).flat()
}

/** Mostly its own; else one that other requests may have. */
function drawId(rng: Rng, tag: number): string {
  const point = rng.random()
  if (point < 0.03) return 'i'.repeat(256)
  return point < 0.2 ? `id-${rng.whole(1, IDS)}` : `own-${tag}`
}

function drawUnits(rng: Rng): number {
  const point = rng.random()
  if (point < 0.7) return rng.whole(1, 8)
  return point < 0.97 ? rng.whole(9, 60) : 100_000
}

/** Something is done with a request that was drawn before, by any process. */
function following(rng: Rng, { request, operation }: Drawn, tag: number, usable: readonly number[]): CreditOperation {
  const at = rng.whole(0, request.budgets.length - 1)
  const point = rng.random()
  if (point < 0.35) return repeat(rng, operation, tag, usable)
  if (operation.kind === 'admit' && point < 0.95)
    return { kind: 'give-back', request, at, units: unitsNear(rng, request) }
  if (point < 0.75) return { kind: 'settle', request, at, units: rng.chance(0.2) ? null : unitsNear(rng, request) }
  if (point < 0.88) {
    const more = rng.pick([0, 0, 1, 5, 40])
    return { kind: 'extend', request, at, units: request.units + more, ttlMs: rng.pick(TTLS_MS) }
  }
  return { kind: 'give-back', request, at, units: unitsNear(rng, request) }
}

/** Below, the same, or above. */
function unitsNear(rng: Rng, { units }: CreditRequest): number {
  const point = rng.random()
  if (point < 0.4) return rng.whole(0, units)
  return point < 0.65 ? units : units + rng.whole(1, 30)
}

/** The same request, or another one under the same id, which is a conflict. */
function repeat(rng: Rng, operation: Drawn['operation'], tag: number, usable: readonly number[]): CreditOperation {
  const { request } = operation
  if (request.id === null) return { ...operation, request: { ...request, tag } }
  const point = rng.random()
  if (point < 0.8) return { ...operation, ...(operation.kind === 'admit' && { isDecided: rng.chance(0.5) }) }
  if (point < 0.86) return { ...operation, request: { ...request, units: request.units + 1 } }
  const another = rng.pickAny(usable.filter((index) => !request.budgets.includes(index)))
  // The id is known for the later ones alone.
  if (point < 0.92 && another !== undefined && request.form !== 'one')
    return { ...operation, request: { ...request, budgets: [another, ...request.budgets] } }
  if (point < 0.95 && request.budgets.length > 1)
    return { ...operation, request: { ...request, budgets: request.budgets.toReversed() } }
  if (point < 0.97 && request.budgets.length > 1)
    return { ...operation, request: { ...request, form: request.form === 'all' ? 'first' : 'all', overage: null } }
  return operation.kind === 'admit'
    ? { kind: 'reserve', request, ttlMs: rng.pick(TTLS_MS), onExpire: 'return' }
    : { kind: 'admit', request, isDecided: true, deadlineMs: null }
}
