import type { Clock } from '../../core/clock.ts'
import { quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { GateNeed, RequestTerms, Verdict, Waterfall } from '../requests/pending-request.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { READ_PAUSE_LONGEST_MS } from '../rows/row-denials.ts'

/**
 * What memory knows of units that a lease does not cover. `lacking`: the row does not have them. `stale`: it did not have them,
 * and is read before it is asked (O12). `unknown`: only an exchange can tell.
 */
export type Knowledge = 'lacking' | 'stale' | 'unknown'

export type StaleRow = readonly [row: LeasedRow, need: GateNeed]

/** What can be decided from memory: admissions that leases cover, and denials of units that are known to be gone. */
export class LocalAdmission {
  readonly #clock: Clock
  readonly #flushIntervalMs: number
  readonly #leases: LeaseTable
  readonly #requests: RequestTable
  readonly #intake: ChangeIntake
  /** Adds to a counter. */
  readonly #book: (overage: CounterState, units: number) => void

  constructor(parts: {
    readonly clock: Clock
    readonly flushIntervalMs: number
    readonly leases: LeaseTable
    readonly requests: RequestTable
    readonly intake: ChangeIntake
    readonly book: (overage: CounterState, units: number) => void
  }) {
    this.#clock = parts.clock
    this.#flushIntervalMs = parts.flushIntervalMs
    this.#leases = parts.leases
    this.#requests = parts.requests
    this.#intake = parts.intake
    this.#book = parts.book
  }

  /**
   * All or none. `read`: rows are to be read first. `spend`: the lease covers the durable request (O9). Undefined where only an exchange can tell.
   */
  decide({ needs, durable, form }: RequestTerms): Verdict | 'read' | 'spend' | undefined {
    if (form.waterfall !== undefined) return this.#decideFirst(needs, form.waterfall, durable)
    const [need, second] = needs
    return need !== undefined && second === undefined ? this.#decideOne(need, durable) : this.#decideAll(needs, durable)
  }

  /**
   * O12: what is known of the stale rows counts until they are read. One of them denies its need; a waterfall goes on to its next source.
   * @param stale the first of them, with its need
   */
  decideUntilRead({ needs, durable, form }: RequestTerms, [row, need]: StaleRow): Verdict | 'read' | undefined {
    return form.waterfall === undefined ? this.deny(need, row) : this.#decideFirst(needs, form.waterfall, durable, true)
  }

  #decideOne(need: GateNeed, isDurable: boolean): Verdict | 'read' | 'spend' | undefined {
    if (isCold(need.gate)) return undefined
    const row = this.#leases.current(need.gate)
    if (row.isQuarantined) return { kind: 'failed', error: quarantinedError(row.key) }
    if (row.lease.spendable < need.units) {
      const knowledge = this.knowledgeOf(row, need.units)
      if (knowledge === 'lacking') return this.deny(need, row)
      return knowledge === 'stale' ? 'read' : undefined
    }
    if (isDurable) return 'spend'
    this.spend(row, need.units)
    return { kind: 'admitted', row }
  }

  #decideAll(needs: readonly GateNeed[], isDurable: boolean): Verdict | 'read' | undefined {
    const rows = needs.map(({ gate }) => this.#leases.current(gate))
    let isCovered = true
    let isStale = false
    for (let at = 0; at < needs.length; at += 1) {
      const [row, need] = [rows[at], needs[at]]
      if (row === undefined || need === undefined) continue
      if (row.isQuarantined) return { kind: 'failed', error: quarantinedError(row.key) }
      if (row.lease.spendable >= need.units) continue
      const knowledge = this.knowledgeOf(row, need.units)
      if (knowledge === 'lacking') return this.deny(need, row)
      if (knowledge === 'stale') isStale = true
      isCovered = false
    }
    if (isStale) return 'read'
    if (isDurable || !isCovered) return undefined
    for (const [index, row] of rows.entries()) this.spend(row, needs[index]?.units ?? 0)
    return { kind: 'admitted', row: rows[0] ?? null, rows }
  }

  /**
   * V2: where the leases of the first sources cover the units, and each source before the last of them is known to have no more, and where all of them
   * are. Else the order would be wrong.
   * @param staleCounts what is known of a stale row counts
   */
  #decideFirst(
    needs: readonly GateNeed[],
    { units, overage }: Waterfall,
    isDurable: boolean,
    staleCounts = false,
  ): Verdict | 'read' | undefined {
    const rows = needs.map(({ gate }) => this.#leases.current(gate))
    const quarantined = rows.find((row) => row.isQuarantined)
    if (quarantined !== undefined) return { kind: 'failed', error: quarantinedError(quarantined.key) }
    const shares: number[] = []
    let left = units
    let isStale = false
    for (const row of rows) {
      const share = Math.min(left, Math.max(0, row.lease.spendable))
      shares.push(share)
      left -= share
      if (left === 0) break
      const knowledge = this.knowledgeOf(row, share + 1)
      if (knowledge === 'unknown') return overage === null ? this.#denyTogether(needs, rows, units) : undefined
      isStale ||= knowledge === 'stale'
    }
    if (isStale && !staleCounts) return 'read'
    const last = needs.at(-1)
    const lastRow = rows.at(-1)
    if (left > 0 && overage === null && last !== undefined && lastRow !== undefined) return this.deny(last, lastRow)
    if (isDurable || (left > 0 && (overage === null || overage.isQuarantined))) return undefined
    // It may throw.
    if (left > 0 && overage !== null) this.#book(overage, left)
    for (const [index, share] of shares.entries()) {
      const row = rows[index]
      if (share > 0 && row !== undefined) this.spend(row, share)
    }
    return {
      kind: 'admitted',
      row: rows[0] ?? null,
      rows,
      shares: overage === null ? shares : withOverage(shares, needs, left),
    }
  }

  /** L6: an earlier source may have more, and all of them together are known to have too little. Undefined: the store decides, and shows them. */
  #denyTogether(needs: readonly GateNeed[], rows: readonly LeasedRow[], units: number): Verdict | undefined {
    let reach = 0
    for (const row of rows) reach += Math.max(0, row.reach)
    if (units <= reach) return undefined
    const isFresh = rows.every((row) => this.knowledgeOf(row, Math.max(0, row.reach) + 1) === 'lacking')
    const [last, lastRow] = [needs.at(-1), rows.at(-1)]
    return isFresh && last !== undefined && lastRow !== undefined ? this.deny(last, lastRow) : undefined
  }

  /** Rows that are to be read before they are asked, each with its need. */
  staleOf({ needs, form }: RequestTerms): readonly StaleRow[] {
    return needs
      .map((need) => [this.#leases.current(need.gate), need] as const)
      .filter(([row, { units }]) => {
        const wanted = form.waterfall === undefined ? units : Math.min(units, Math.max(0, row.lease.spendable) + 1)
        return row.lease.left < wanted && this.knowledgeOf(row, wanted) === 'stale'
      })
  }

  /** @returns false where the lease does not cover the units */
  spend(row: LeasedRow, units: number): boolean {
    if (!row.lease.spend(units)) return false
    if (units !== 1) row.gate.metrics.surplusUnits += units - 1
    this.#intake.spent(row)
    return true
  }

  deny(need: GateNeed, row: LeasedRow): Verdict {
    this.noteDenial(row)
    return { kind: 'denied', ...need, row }
  }

  noteDenial(row: LeasedRow): void {
    row.schedule.withDenials(this.#flushIntervalMs).deny(this.#clock.monotonic())
  }

  /** @param reach what could cover the units; for `tryAdmit` less than for requests that wait */
  knowledgeOf(row: LeasedRow, units: number, reach: number = row.reach): Knowledge {
    const { figures, schedule } = row
    if (figures === null) return row.gate.history?.lacks(row.window, units) === true ? 'stale' : 'unknown'
    // The next exchange carries a mint of this owner, and what it brings.
    if (units <= reach || this.#requests.find(row)?.isMinting === true) return 'unknown'
    const { heardAtMs, readPauseMs } = schedule.withDenials(this.#flushIntervalMs)
    // A cost above all that was minted: one look a second, because another process may mint more.
    const pauseMs = units > figures.minted ? READ_PAUSE_LONGEST_MS : readPauseMs
    return this.#clock.monotonic() < heardAtMs + pauseMs ? 'lacking' : 'stale'
  }
}

/** @returns the shares of all sources, with that of the counter behind them */
function withOverage(shares: readonly number[], needs: readonly GateNeed[], over: number): readonly number[] {
  return [...needs.map((_need, at) => shares[at] ?? 0), over]
}

/** Nothing is kept of the budget, and no denial is remembered. Its row is made when an exchange carries it, not for each request of a crowd. */
export function isCold({ row, upcoming, history }: Gate): boolean {
  return row === null && upcoming === null && (history === null || history.lack === null)
}
