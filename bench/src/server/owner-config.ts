import type { ServerKind } from './bench-server.ts'

/** What one process of a run does. It gets this as JSON in its one argument. */
export interface OwnerConfig {
  readonly kind: ServerKind
  readonly url: string
  /** Of the store: a schema, or a prefix. */
  readonly name: string
  readonly fastPath: boolean
  /** `durable`: that many callers for that long. `drain`: until the budget is exhausted. `by hand`: as `durable`, a statement or script for each. */
  readonly work: 'durable' | 'drain' | 'by hand'
  readonly seconds: number
  /** Before them, the same callers for that long, until the code is compiled. */
  readonly warmUpSeconds: number
  readonly callers: number
}

/** What the process prints when it has ended, as JSON. */
export interface OwnerResult {
  /** In all, also while it warmed up. */
  readonly admitted: number
  /** Without the warming up. */
  readonly perSecond: number
  readonly seconds: number
  /** Exchanges of its engine; 0 by hand. */
  readonly exchanges: number
}

/** Printed when everything is open. It begins with the next line of input, so that all processes begin together. */
export const READY = 'ready'
export const HOT = 'hot'
export const MINTED = 1_000_000_000_000
export const DRAINED = 1_000_000
