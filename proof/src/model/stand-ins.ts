import type { VsaEvent } from '../../../packages/vsa/dist/engine/runtime/events.js'
import type { Clock } from '../../../packages/vsa/dist/core/clock.js'
import type { Settings } from '../../../packages/vsa/dist/engine/api/settings.js'
import type { Family } from '../../../packages/vsa/dist/engine/budget/family.js'
import type { Gate } from '../../../packages/vsa/dist/engine/budget/gate.js'
import type { SlowPath } from '../../../packages/vsa/dist/engine/budget/slow-path.js'
import type { ChangeIntake } from '../../../packages/vsa/dist/engine/exchange/change-intake.js'
import type { ExchangeParts } from '../../../packages/vsa/dist/engine/exchange/exchange-parts.js'
import type { FlushScheduler } from '../../../packages/vsa/dist/engine/exchange/flush-scheduler.js'
import type { PendingRequest } from '../../../packages/vsa/dist/engine/requests/pending-request.js'
import type { LeasedRow } from '../../../packages/vsa/dist/engine/rows/leased-row.js'
import type { LeaseTable } from '../../../packages/vsa/dist/engine/rows/lease-table.js'
import type { Metrics } from '../../../packages/vsa/dist/engine/runtime/metrics.js'
import type { Session } from '../../../packages/vsa/dist/engine/session/session.js'
import type { SessionRecord } from '../../../packages/vsa/dist/engine/session/state-machine.js'
import { Violation } from '../simulation/violation.ts'

/*
 * Substitutes for the scheduling parts of an engine, because the model schedules instead. Each has only the members that the production
 * code under test uses, so each needs a cast.
 */

/** Time does not pass within a step, and no timer fires. */
export const CLOCK: Clock = {
  now: () => 0,
  monotonic: () => 0,
  timer: () => ({ cancel: (): void => undefined }),
  soon: (): void => undefined,
}

export const SETTINGS: Settings = {
  clock: CLOCK,
  store: { capabilities: { batchMax: 1_000 } },
  flushIntervalMs: 100,
  deadlineMs: 1_000,
  waitersMax: 1_000,
  thresholds: [],
  emit: (event: VsaEvent): void => {
    // S6: an owner whose books of a row do not balance catches its own assertion and quarantines the row. No law allows the cause.
    if (event.type === 'quarantined') throw new Violation('S6', `${event.key} is quarantined: ${event.detail}`)
  },
} as unknown as Settings

export function sessionOf({ epoch, firstEpoch }: SessionRecord): Session {
  const store = { leaseTtlMs: 1_000, mayForget: false, frozenMs: 0, lastError: null }
  const session = { hasJoined: firstEpoch !== null, epoch, time: 0, sentAtMs: 0, ...store }
  return session as unknown as Session
}

/** @param slowPath created on first use: most steps need none */
export function familyOf(metrics: Metrics, slowPath: () => SlowPath<Gate>): Family {
  const family = {
    metrics,
    keyOf: (id: string) => id,
    live: (gate: Gate) => gate,
    tryAdmitSlowly: (gate: Gate, units: number) => slowPath().tryAdmit(gate, units),
    get slowPath() {
      return slowPath()
    },
  }
  return family as unknown as Family
}

/** One lease object for each row, never dropped: when to create or drop one is scheduling. */
export function leaseTableOf(gates: readonly Gate[], rows: readonly LeasedRow[]): LeaseTable {
  const table = {
    leasedUnits: 0,
    all: () => rows.values(),
    touch: () => undefined,
    find: () => undefined,
    retire: (row: LeasedRow) => row.retire(),
    current: (gate: Gate) => rows[gates.indexOf(gate)],
    dropIfIdle: () => false,
  }
  return table as unknown as LeaseTable
}

/** The model chooses when an exchange is sent. */
export const SCHEDULER: FlushScheduler = { ended: false, wake: () => undefined } as unknown as FlushScheduler

/** The part of the intake that admissions use, without the scheduling. */
export function intakeOf({ sendQueue, requests, waiting }: ExchangeParts): ChangeIntake {
  const intake = {
    spent: (row: LeasedRow) => {
      sendQueue.markDirty(row)
      row.lease.settleFloor()
    },
    askLease: () => undefined,
    refund: (row: LeasedRow, units: number) => {
      row.lease.giveBack(units)
      if (row.lease.refund > 0) sendQueue.markDirty(row)
    },
    confirm: (row: LeasedRow, request: PendingRequest) => waiting.confirm(requests.of(row).unsent, request),
  }
  return intake as unknown as ChangeIntake
}
