import type { Window } from '../../core/plan.ts'
import type { Accounted, Admitted, Decision, DecisionShare, Refused, Unavailable } from '../../core/decision.ts'
import { windowIn } from '../api/arguments.ts'
import type { PastDecision } from '../api/public-types.ts'
import type { Gate } from '../budget/gate.ts'
import { reasonOf, type RowView } from '../budget/row-view.ts'
import type { GateNeed, Verdict, Waterfall } from '../requests/pending-request.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { Session } from '../session/session.ts'

/** A timer may fire up to a ms early, and the next answer may correct this owner's time by another one. */
const RETRY_MARGIN_MS = 2

type Shown = Pick<Accounted, 'key' | 'units' | 'limit' | 'remaining' | 'period' | 'resetAtMs'>

/** Turns verdicts into decisions with the figures for headers and reasons: for display, never for deciding. */
export class Decisions {
  readonly #session: Pick<Session, 'time' | 'hasJoined'>
  readonly #flushIntervalMs: number
  readonly #leases: Pick<LeaseTable, 'find'>
  /** Of decisions about several budgets: the period of each, by key, so that each can be given back; null where nothing was spent. */
  readonly #periods = new WeakMap<object, Map<string, number | null>>()
  /** Of decisions about several sources: their gates, also those that are evicted later. */
  readonly #sources = new WeakMap<object, readonly GateNeed[]>()
  /** I2: of decisions with an id: the budgets that are given back by it alone. */
  readonly #remembered = new WeakMap<object, ReadonlySet<string>>()

  constructor(session: Pick<Session, 'time' | 'hasJoined'>, flushIntervalMs: number, leases: Pick<LeaseTable, 'find'>) {
    this.#session = session
    this.#flushIntervalMs = flushIntervalMs
    this.#leases = leases
  }

  /** @param asked the first need: it is shown where none refused */
  of(
    verdict: Exclude<Verdict, { kind: 'failed' }>,
    asked: GateNeed,
    waterfall?: Waterfall,
    needs: readonly GateNeed[] = [],
  ): Decision {
    switch (verdict.kind) {
      case 'denied':
        return waterfall === undefined ? this.#denied(verdict, verdict.row) : this.#deniedByAll(verdict, needs)
      case 'unavailable':
        return { admitted: false, reason: 'unavailable', ...this.#asked(verdict) }
      case 'unaccounted':
        return this.#unaccounted(asked)
      case 'shadow':
        return this.#onTrial(asked, verdict)
      case 'admitted':
        return this.#admitted(asked, verdict, waterfall, needs)
    }
  }

  /**
   * P7: the decision was also about budgets on trial, each of which is tried by itself. Until it has been, nothing of it can be given back.
   * @returns notes what was decided of one
   */
  withTrials(decision: Admitted, keys: readonly string[]): (tried: Decision) => void {
    const periods = this.#periods.get(decision) ?? new Map<string, number | null>()
    if (periods.size === 0) periods.set(decision.key, decision.shadow === undefined ? (decision.period ?? null) : null)
    for (const key of keys) periods.set(key, null)
    this.#periods.set(decision, periods)
    return (tried) => {
      if (tried.admitted && tried.shadow === undefined && tried.unaccounted === undefined)
        periods.set(tried.key, tried.period)
    }
  }

  /** A source of a decision that this process has made. */
  sourceOf(decision: PastDecision, key: string): Gate | undefined {
    return this.#sources.get(decision)?.find(({ gate }) => gate.key === key)?.gate
  }

  /** I2: by the id it counts once, for every process. */
  isGivenBackById(decision: PastDecision, key: string): boolean {
    return this.#remembered.get(decision)?.has(key) === true
  }

  /**
   * The start of the period that units of the budget go back into. Null where the decision, which admitted, took nothing of it: it is not
   * accounted, repeated or on trial. Undefined where it is about other budgets.
   */
  periodOf(decision: PastDecision, key: string): number | null | undefined {
    if (decision.unaccounted === true || decision.shadow !== undefined) return null
    // I2: a repeat took nothing, and its period is that of now. What was taken before is given back by the id.
    if (decision.repeated === true) return null
    const periods = this.#periods.get(decision)
    if (periods !== undefined) return periods.get(key)
    return decision.key === undefined || decision.key === key ? (decision.period ?? 0) : undefined
  }

  /** The period of what the decision took of the budget. Null where it took nothing. */
  windowOf(decision: Decision, gate: Gate): Window | null {
    const period = this.periodOf(decision, gate.key) ?? null
    return period === null ? null : (this.windowIn(gate, period) ?? null)
  }

  /** The budget's period that begins at `period`, by its row, or by its policy of now or before. Undefined where neither knows of it. */
  windowIn(gate: Gate, period: number): Window | undefined {
    const row = this.#leases.find(gate.key, period)
    return row === undefined ? windowIn(gate, period) : row.window
  }

  #admitted(
    asked: GateNeed,
    verdict: Extract<Verdict, { kind: 'admitted' }>,
    waterfall?: Waterfall,
    needs: readonly GateNeed[] = [],
  ): Decision {
    const { row, rows = [], shares, remembered } = verdict
    // A look before the first join.
    if (row === null && !this.#session.hasJoined) return this.#unaccounted(asked)
    // The row that the units came from: the gate may be in the next period already.
    const shown = row ?? this.#rowOf(asked.gate)
    const decision: Decision =
      waterfall === undefined && remembered === undefined
        ? this.#accounted(asked, shown)
        : {
            admitted: true,
            ...(remembered?.repeated === true && { repeated: true }),
            ...this.#shown(asked, shown),
            ...(waterfall !== undefined && shares !== undefined && { from: fromOf(rows, shares, waterfall) }),
          }
    if (remembered?.repeated === false)
      this.#remembered.set(decision, new Set([asked.gate.key, ...rows.map(({ key }) => key)]))
    if (waterfall !== undefined) this.#sources.set(decision, needs)
    if (rows.length > 1 && waterfall === undefined)
      this.#periods.set(decision, new Map(rows.map(({ key, window }) => [key, window.start])))
    return decision
  }

  /** The usual one, written out: to copy its parts together takes most of the time of a decision. */
  #accounted({ gate, units }: GateNeed, row: RowView | null): Accounted {
    const { key, plan } = gate
    const { start: period, end } = row?.window ?? plan.windowAt(this.#session.time)
    const limit = row?.figures?.minted ?? plan.limit
    const remaining = remainingOf(row, plan.limit)
    return end === Infinity
      ? { admitted: true, key, units, limit, remaining, period }
      : { admitted: true, key, units, limit, remaining, period, resetAtMs: end }
  }

  /**
   * What the gate admits from: until its next request that may still be the row fetched ahead, whose period has begun, or one that it has
   * left for the next period too early (O11).
   */
  #rowOf({ key, plan, row, upcoming }: Gate): RowView | null {
    if (row !== null) return row
    const { time } = this.#session
    if (upcoming !== null && upcoming.window.start <= time) return upcoming
    return this.#leases.find(key, plan.windowAt(time).start) ?? null
  }

  /** P7 */
  #onTrial(asked: GateNeed, { would, row }: Extract<Verdict, { kind: 'shadow' }>): Decision {
    return would === 'denied'
      ? { admitted: true, shadow: would, ...this.#shown(asked, row) }
      : { admitted: true, unaccounted: true, shadow: would, ...this.#asked(asked) }
  }

  #unaccounted(asked: GateNeed): Decision {
    return { admitted: true, unaccounted: true, ...this.#asked(asked) }
  }

  /** What is known without an answer of the store. */
  #asked({ gate, units }: GateNeed): Pick<Unavailable, 'key' | 'units' | 'limit' | 'period' | 'resetAtMs'> {
    const { key, plan } = gate
    const row = this.#rowOf(gate)
    const { window = plan.windowAt(this.#session.time) } = row ?? {}
    const asked = { key, units, limit: row?.figures?.minted ?? plan.limit }
    if (window.end === Infinity) return { ...asked, period: window.start }
    return this.#session.hasJoined ? { ...asked, period: window.start, resetAtMs: window.end } : asked
  }

  #denied(need: Extract<Verdict, { kind: 'denied' }>, row: RowView | null): Refused {
    const reason = need.isRefunded === true ? 'refunded' : reasonOf(row, need.units)
    const retryAfterMs = this.#retryAfterMs(need.gate, row, reason)
    const { key, units, limit, remaining, period, resetAtMs } = this.#shown(need, row)
    // Written out, as `#accounted`: a flood of requests beyond a limit is denied here.
    if (retryAfterMs === undefined)
      return resetAtMs === undefined
        ? { admitted: false, reason, key, units, limit, remaining, period }
        : { admitted: false, reason, key, units, limit, remaining, period, resetAtMs }
    return resetAtMs === undefined
      ? { admitted: false, reason, retryAfterMs, key, units, limit, remaining, period }
      : { admitted: false, reason, retryAfterMs, key, units, limit, remaining, period, resetAtMs }
  }

  /** V1: all of the sources together have too little. The first that comes back may have enough. */
  #deniedByAll(need: Extract<Verdict, { kind: 'denied' }>, needs: readonly GateNeed[]): Refused {
    const all = needs.map((source) => this.#denied({ ...need, ...source }, source.gate.row))
    const minted = all.reduce((sum, { limit }) => sum + limit, 0)
    const isOver = need.isRefunded !== true && need.units > minted
    const reason = isOver ? 'over-limit' : (all.find((one) => one.reason !== 'over-limit')?.reason ?? 'exhausted')
    const waits = needs.flatMap(({ gate }) => this.#retryAfterMs(gate, gate.row, reason) ?? [])
    const retry = isOver || waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }
    return { admitted: false, reason, ...retry, ...this.#shown(need, need.row) }
  }

  #shown({ gate, units }: GateNeed, row: RowView | null): Shown {
    const { key, plan } = gate
    const { start: period, end } = row?.window ?? plan.windowAt(this.#session.time)
    // What was minted: for `initial` it grows with each mint, for `limit` it is the limit.
    const limit = row?.figures?.minted ?? plan.limit
    const remaining = remainingOf(row, plan.limit)
    return end === Infinity
      ? { key, units, limit, remaining, period }
      : { key, units, limit, remaining, period, resetAtMs: end }
  }

  #retryAfterMs(gate: Gate, row: RowView | null, reason: Refused['reason']): number | undefined {
    if (reason === 'over-limit' || reason === 'refunded') return undefined
    if (reason === 'reserved') return this.#flushIntervalMs
    const { time } = this.#session
    // The period of the row that lacked the units: it may have ended while the store was asked, or not have begun yet (O11).
    const { end } = row?.window ?? gate.plan.windowAt(time)
    return end === Infinity ? undefined : Math.max(1, end - time + RETRY_MARGIN_MS)
  }
}

/** What each source gave, those that gave nothing left out. */
function fromOf(rows: readonly RowView[], shares: readonly number[], { overage }: Waterfall): readonly DecisionShare[] {
  const from: DecisionShare[] = []
  for (const [index, units] of shares.entries()) {
    const row = rows[index]
    if (units === 0) continue
    if (row !== undefined) from.push({ key: row.key, units, period: row.window.start })
    else if (overage !== null) from.push({ key: overage.key, units, period: null })
  }
  return from
}

/** Units of the row that are neither used, burned nor spent by this owner, as of the last exchange. */
function remainingOf(row: RowView | null, limit: number): number {
  const figures = row?.figures
  if (row === null || figures === null || figures === undefined) return limit
  return Math.max(0, figures.minted - figures.used - (figures.reserved ?? 0) - figures.burned - row.delta)
}
