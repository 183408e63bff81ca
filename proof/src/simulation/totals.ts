import type { Scenario } from './scenarios.ts'
import type { RunResult } from './run-script.ts'
import type { Setting } from './script.ts'

export type FaultCounts = Record<keyof RunResult['faults'], number>

/** Sums over many runs. Plain data: workers send it. */
export interface Totals {
  seeds: number
  operations: number
  exchanges: number
  records: number
  events: number
  simulatedMs: number
  /** Seeds by store. */
  readonly stores: Partial<Record<Setting['store'], number>>
  readonly faults: FaultCounts
  readonly scenarios: Partial<Record<Scenario, number>>
}

export function noTotals(): Totals {
  return {
    seeds: 0,
    operations: 0,
    exchanges: 0,
    records: 0,
    events: 0,
    simulatedMs: 0,
    stores: {},
    faults: {
      refused: 0,
      requestLost: 0,
      answerLost: 0,
      reset: 0,
      duplicated: 0,
      slow: 0,
      storeDies: 0,
      callDuringOutage: 0,
      crash: 0,
      standstill: 0,
      clockJump: 0,
    },
    scenarios: {},
  }
}

export function addTotals(into: Totals, more: Omit<Totals, 'seeds'>, seeds: number): void {
  into.seeds += seeds
  into.operations += more.operations
  into.exchanges += more.exchanges
  into.records += more.records
  into.events += more.events
  into.simulatedMs += more.simulatedMs
  for (const kind of Object.keys(into.faults) as (keyof FaultCounts)[]) into.faults[kind] += more.faults[kind]
  addCounts(into.stores, more.stores)
  addCounts(into.scenarios, more.scenarios)
}

function addCounts<Name extends string>(
  into: Partial<Record<Name, number>>,
  more: Partial<Record<Name, number>>,
): void {
  for (const [name, times] of Object.entries(more) as [Name, number][]) into[name] = (into[name] ?? 0) + times
}
