import type { Clock } from '../../core/clock.ts'
import { quarantinedError } from '../api/errors.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { GateNeed, Verdict } from '../requests/pending-request.ts'
import type { RequestTable } from '../requests/row-requests.ts'
import type { LeaseTable } from '../rows/lease-table.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import { READ_PAUSE_LONGEST_MS } from '../rows/row-denials.ts'
import type { Metrics } from '../runtime/metrics.ts'

/**
 * What memory knows of units that a lease does not cover. `lacking`: the row does not have them. `stale`: it did not have them,
 * and is read before it is asked (O12). `unknown`: only an exchange can tell.
 */
export type Knowledge = 'lacking' | 'stale' | 'unknown'

/** What can be decided from memory: admissions that leases cover, and denials of units that are known to be gone. */
export class LocalAdmission {
  readonly #clock: Clock
  readonly #flushIntervalMs: number
  readonly #metrics: Metrics
  readonly #leases: LeaseTable
  readonly #requests: RequestTable
  readonly #intake: ChangeIntake

  constructor(parts: {
    readonly clock: Clock
    readonly flushIntervalMs: number
    readonly metrics: Metrics
    readonly leases: LeaseTable
    readonly requests: RequestTable
    readonly intake: ChangeIntake
  }) {
    this.#clock = parts.clock
    this.#flushIntervalMs = parts.flushIntervalMs
    this.#metrics = parts.metrics
    this.#leases = parts.leases
    this.#requests = parts.requests
    this.#intake = parts.intake
  }

  /**
   * All or none. `read`: rows are to be read first. `spend`: the lease covers the durable request (O9). Undefined where only an exchange can tell.
   */
  decide(needs: readonly GateNeed[], isDurable: boolean): Verdict | 'read' | 'spend' | undefined {
    const [need, second] = needs
    return need !== undefined && second === undefined
      ? this.#decideOne(need, isDurable)
      : this.#decideAll(needs, isDurable)
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

  /** @returns false where the lease does not cover the units */
  spend(row: LeasedRow, units: number): boolean {
    if (!row.lease.spend(units)) return false
    if (units !== 1) this.#metrics.surplusUnits += units - 1
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

/** Nothing is kept of the budget, and no denial is remembered. Its row is made when an exchange carries it, not for each request of a crowd. */
export function isCold({ row, upcoming, history }: Gate): boolean {
  return row === null && upcoming === null && (history === null || history.lack === null)
}
