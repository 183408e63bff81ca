import type { Answer, FencedAnswer, RowName } from '../../core/exchange.ts'
import type { ChangeOutcome, CreditOutcomes, TakeOutcome } from '../../core/reservations/messages.ts'
import type { ListedRow, Joined } from '../../core/store.ts'

/**
 * What of an answer must be the same in the store and the model: as JSON, with lists that have no order sorted. Without times where the
 * store has a clock of its own.
 */
export function comparableAnswer(answer: Answer, isTimeInjected: boolean): unknown {
  const { time, ...rest } = asJson(answer)
  const injected = (ms: number): number => (isTimeInjected ? ms : 0)
  switch (rest.kind) {
    case 'applied':
    case 'replayed':
      return {
        ...rest,
        time: injected(time),
        expiresAt: injected(rest.expiresAt),
        wanted: rest.wanted.toSorted(byName),
        credits: comparableCredits(rest.credits, injected),
      }
    case 'breach':
      // The detail is for the log: each store words it as it likes.
      return { time: injected(time), kind: rest.kind, row: rest.row }
    case 'fenced':
      return { time: injected(time), ...rest, last: comparableLast(rest.last, injected) }
    case 'stale':
    case 'lost':
      return { time: injected(time), ...rest }
  }
}

type Injected = (ms: number) => number

function comparableLast(last: FencedAnswer['last'], injected: Injected): unknown {
  if (last === null) return null
  return { ...last, outcome: { ...last.outcome, credits: comparableCredits(last.outcome.credits, injected) } }
}

function comparableCredits(credits: CreditOutcomes | undefined, injected: Injected): unknown {
  if (credits === undefined) return undefined
  const timed = (outcome: TakeOutcome | ChangeOutcome): unknown => {
    // As for a breach, the detail is for the log.
    if (outcome.kind === 'damaged') return { kind: outcome.kind }
    return 'expiresAt' in outcome ? { ...outcome, expiresAt: injected(outcome.expiresAt) } : outcome
  }
  const takes = Object.entries(credits.takes).map(([at, outcome]) => [at, timed(outcome)])
  return { takes, changes: credits.changes.map(timed) }
}

/** Without `upkeepDueInMs`: how much upkeep one call does is the store's choice. */
export function comparableJoin(joined: Joined, isTimeInjected: boolean): unknown {
  return { ...joined, time: isTimeInjected ? joined.time : 0, upkeepDueInMs: null }
}

export function comparableRows(rows: readonly ListedRow[], isTimeInjected: boolean): unknown {
  const inOrder = rows.toSorted((a, b) => byName(a.budget, b.budget))
  return asJson(
    inOrder.map(({ budget, leases }) => ({
      budget: isTimeInjected ? budget : { ...budget, wantedUntil: 0 },
      leases: leases.toSorted((a, b) => a.epoch - b.epoch),
    })),
  )
}

/** Undefined when both are equal, whatever the order of their properties. */
export function firstDifference(what: string, got: unknown, expected: unknown): string | undefined {
  if (canonical(got) === canonical(expected)) return undefined
  return `${what}: the store answers ${JSON.stringify(got)}, the model ${JSON.stringify(expected)}`
}

function byName(a: RowName, b: RowName): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return a.period - b.period
}

/** A copy as any wire would bring it. The exchange types are plain JSON data, so the type is the same. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

function canonical(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
