import { atLeast, atMost, type Floor } from '../report/floor.ts'
import type { Crowd } from './crowd.ts'
import type { Durable } from './durable.ts'
import type { Flush } from './flush.ts'
import type { FullSpeed } from './full-speed.ts'
import type { Memory } from './memory.ts'
import type { OpenReservations } from './open-reservations.ts'
import type { Reservations } from './reservations.ts'

/** Least speed of durable admissions relative to hand-written ones, by number of callers. */
export const DURABLE_FLOORS: ReadonlyMap<number, number> = new Map([
  [1_024, 100],
  [64, 20],
])

export function fullSpeedFloors(run: FullSpeed): readonly Floor[] {
  return [
    atLeast('decisions a second', run.decisionsPerSecond, 100e6),
    atMost('exchanges a second', run.exchangesPerSecond, 12),
    atMost('records for each changed budget and exchange', run.records / run.changedRows, 1),
    atLeast('admitted by tryAdmit alone, once warm', run.admittedShare, 0.99),
    atMost('event-loop delay p99 above the bare loop, ms', run.delayP99Ms - run.bareDelayP99Ms, 3),
  ]
}

export function durableFloors({ callers }: Durable): readonly Floor[] {
  return callers.map((one) => {
    const floor = DURABLE_FLOORS.get(one.callers)
    if (floor === undefined) throw new RangeError(`no floor for ${one.callers} callers`)
    return atLeast(`times the hand-written UPDATE, ${one.callers} callers`, one.ratio, floor)
  })
}

export function flushFloors(run: Flush): readonly Floor[] {
  return [
    atMost(`times a bare loop of UPDATEs, ${run.budgets} changed budgets`, run.ratio, 3),
    atMost('records and lease records for each of them', (run.records + run.leaseRecords) / run.budgets, 1),
  ]
}

export function crowdFloors(run: Crowd): readonly Floor[] {
  return [
    atMost(`time-outs among ${run.keys} cold keys`, run.timedOut, 0),
    atMost('longest turn of the event loop meanwhile, ms', run.longestTurnMs, 50),
    atMost('seconds to close with all of them touched', run.closeSeconds, 10),
  ]
}

export function memoryFloors(run: Memory): readonly Floor[] {
  return [
    atMost('bytes an idle budget, key included', run.bytesPerIdleBudget, 300),
    atMost('bytes a budget with a lease', run.bytesPerBudgetInUse, 500),
  ]
}

export function reservationFloors(run: Reservations): readonly Floor[] {
  return [atLeast(`reserve and settle, times durable admissions, ${run.callers} callers`, run.pairRatio, 0.5)]
}

export function openReservationFloors(run: OpenReservations): readonly Floor[] {
  return [
    atLeast('reservations that end in a second, all due', run.endedPerSecond, 10_000),
    atMost('longest upkeep that an exchange waits for, ms', run.longestUpkeepMs, 5),
  ]
}
