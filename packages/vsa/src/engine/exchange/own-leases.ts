import type { Gate } from '../budget/gate.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/**
 * V1: the store draws a waterfall from pools. What this owner has leased of an earlier source it would pass over, and charge the next one: such leases go
 * back with this batch, and the request goes with the next one.
 */
export class OwnLeases {
  readonly #parts: Pick<ExchangeParts, 'leases' | 'sendQueue' | 'waiting'>

  constructor(parts: Pick<ExchangeParts, 'leases' | 'sendQueue' | 'waiting'>) {
    this.#parts = parts
  }

  /** @returns whether the request waits. Once at most: in a crowd that leases anew it is asked all the same */
  giveWay(request: PendingRequest): boolean {
    const { waterfall } = request.form
    if (waterfall === undefined || waterfall.ownLeases === 'returned') return false
    const rows = waterfall.ownLeases === 'returning' ? [] : this.#passedOver(request, waterfall.overage !== null)
    waterfall.ownLeases = rows.length === 0 ? 'returned' : 'returning'
    if (rows.length === 0) return false
    for (const row of rows) {
      row.schedule.yieldFor(row.schedule.wants)
      this.#parts.sendQueue.markUrgent(row)
    }
    this.#parts.waiting.delay(request)
    return true
  }

  /** Requests that take from a pool before, in the same batch, are taken to ask for as much each. */
  #passedOver({ needs, units, count }: PendingRequest, hasOverage: boolean): readonly LeasedRow[] {
    const rows: LeasedRow[] = []
    let lacking = units * count
    let leased = 0
    let isAllKnown = true
    for (const { gate } of needs) {
      const row = this.#rowOf(gate.family.live(gate))
      if (row?.isQuarantined === true) return []
      const figures = row?.figures ?? null
      isAllKnown &&= figures !== null
      // Nothing is leased of it.
      if (row === undefined || figures === null) continue
      lacking -= Math.max(0, figures.pool - units * row.takers)
      if (lacking <= 0) return rows
      if (row.lease.left > 0) rows.push(row)
      leased += Math.max(0, row.lease.left)
    }
    // Else others hold the rest, or it is not there: the store decides.
    return hasOverage || !isAllKnown || lacking <= leased ? rows : []
  }

  #rowOf({ key, row }: Gate): LeasedRow | undefined {
    return row === null ? undefined : this.#parts.leases.find(key, row.window.start)
  }
}
