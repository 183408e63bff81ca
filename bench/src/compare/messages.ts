import type { Counts } from '../meters/meter.ts'
import type { Books } from '../contenders/contender.ts'
import type { PlaceFacts } from '../contenders/place.ts'
import type { Latency } from './open-loop.ts'

/** What a process of the benchmark is told by the process that started it. Each command is answered once. */
export type Command =
  | { readonly do: 'open'; readonly place: PlaceFacts; readonly adminUrl: string }
  | { readonly do: 'closed-loop'; readonly callers: number; readonly seconds: number; readonly warmUpSeconds: number }
  | { readonly do: 'open-loop'; readonly rate: number; readonly seconds: number; readonly warmUpSeconds: number }
  | { readonly do: 'figures'; readonly callers: number; readonly seconds: number; readonly everyMs: number }
  | { readonly do: 'pause' }
  | { readonly do: 'close' }
  | { readonly do: 'books' }
  | { readonly do: 'end' }

export type CommandName = Command['do']

export interface Answers {
  readonly open: null
  readonly 'closed-loop': Stretch
  readonly 'open-loop': OpenStretch
  readonly figures: readonly FiguresAt[]
  readonly pause: null
  readonly close: Told
  readonly books: Books
  readonly end: null
}

export type Reply<Name extends CommandName> = { readonly answer: Answers[Name] } | { readonly failed: string }

/** What happened in a measured stretch of time. */
export interface Stretch {
  readonly seconds: number
  readonly admitted: number
  readonly denied: number
  readonly refunds: number
  /** Processor time of the measured process, its driver and the threads of its store included. */
  readonly cpuMs: number
  /** Resident memory, above that before the contender was opened. */
  readonly memoryBytes: number
  readonly exchanges: number | null
  readonly counts: Counts
}

export interface OpenStretch extends Stretch {
  readonly latency: Latency
}

/** Operations (N) and rows written (I) so far. */
export interface FiguresAt {
  readonly seconds: number
  readonly operations: number
  readonly records: number
}

/** All that the callers of a process were told. */
export interface Told {
  readonly net: Float64Array
  readonly skippedRefunds: number
}
