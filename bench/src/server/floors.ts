import { atLeast, atMost, type Floor } from '../report/floor.ts'
import type { ServerKind } from './bench-server.ts'
import type { Calls } from './calls.ts'
import type { Drain } from './drain.ts'
import type { Durable } from './durable.ts'
import type { FlushOfSize } from './flush.ts'

export interface ServerParts {
  readonly flush?: readonly FlushOfSize[]
  readonly calls?: Calls
  readonly drain?: Drain
  readonly durable?: Durable
}

/** Ratios inside one run. */
interface Promised {
  /** A flush to as many additions by hand; undefined: nothing is promised. */
  flush(budgets: number): number | undefined
  /** Durable admissions to those by hand. */
  readonly fastPath: number
  readonly generalPath: number | undefined
}

/** stores.md section 8, and the issue. */
const PROMISED: Readonly<Record<ServerKind, Promised>> = {
  postgres: { flush: () => 4.5, fastPath: 40, generalPath: 20 },
  redis: { flush: (budgets) => ({ 128: 1, 1_000: 1.5 })[budgets], fastPath: 8, generalPath: undefined },
}

export function floorsOf(kind: ServerKind, { flush = [], calls, drain, durable }: ServerParts): readonly Floor[] {
  const promised = PROMISED[kind]
  const byHand = (perSecond: number): number => perSecond / (durable?.byHandPerSecond ?? Number.NaN)
  return [
    ...flush.flatMap(({ budgets, fastPathMs, baselineMs }) => {
      const most = promised.flush(budgets)
      return most === undefined ? [] : [atMost(`times by hand, ${budgets} budgets`, fastPathMs / baselineMs, most)]
    }),
    ...(calls === undefined ? [] : [atMost(`calls a second, ${calls.budgets} busy budgets`, calls.callsPerSecond, 12)]),
    ...(drain === undefined ? [] : [atMost(`exchanges of ${drain.processes} processes`, drain.exchanges, 300)]),
    ...(durable === undefined
      ? []
      : [atLeast('times by hand, durable, fast path', byHand(durable.fastPathPerSecond), promised.fastPath)]),
    ...(durable === undefined || promised.generalPath === undefined
      ? []
      : [atLeast('times by hand, durable, general path', byHand(durable.generalPathPerSecond), promised.generalPath)]),
  ]
}
