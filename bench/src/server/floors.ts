import { atLeast, atMost, type Floor } from '../report/floor.ts'
import type { ServerKind } from './bench-server.ts'
import type { Calls } from './calls.ts'
import type { Cold } from './cold.ts'
import type { Drain } from './drain.ts'
import type { Durable } from './durable.ts'
import type { FlushOfSize } from './flush.ts'
import type { Share } from './share.ts'
import type { Touched } from './touched.ts'

export interface ServerParts {
  readonly flush?: readonly FlushOfSize[]
  readonly calls?: Calls
  readonly drain?: Drain
  readonly durable?: Durable
  readonly cold?: Cold
  readonly touched?: Touched
  readonly share?: readonly Share[]
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

const LEAST_SHARE = 0.2
/** Counted by the server: a flush each 100 ms, leases that grow or run low, and in the first and last second joins and closes. */
const COLD_CALLS_MAX = 16

export function floorsOf(kind: ServerKind, parts: ServerParts): readonly Floor[] {
  return [...speedFloors(kind, parts), ...crowdFloors(parts)]
}

function speedFloors(kind: ServerKind, { flush = [], calls, drain, durable }: ServerParts): readonly Floor[] {
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

/** The issue asks for bounded calls, and that none starves. */
function crowdFloors({ cold, touched, share = [] }: ServerParts): readonly Floor[] {
  return [
    ...(cold === undefined
      ? []
      : [
          atMost('exchanges of a cold owner a second', cold.exchangesPerOwnerPerSecond, 12),
          atMost('calls of a cold owner a second', cold.calls / cold.owners / cold.seconds, COLD_CALLS_MAX),
          atLeast('the least cold owner, of the mean', cold.leastShare, LEAST_SHARE),
          atMost('requests of cold owners that failed', cold.failed, 0),
        ]),
    ...(touched === undefined
      ? []
      : [atMost('calls for a touched budget, times full batches', touched.timesFullBatches, 3)]),
    ...share.map(({ processes, callers, leastShare }) =>
      atLeast(
        `the least of ${processes} processes with ${callers} ${callers === 1 ? 'caller' : 'callers'}, of the mean`,
        leastShare,
        LEAST_SHARE,
      ),
    ),
  ]
}
