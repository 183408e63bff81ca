import type { ServerKind } from './bench-server.ts'

/** What one process of a run does. It gets this as JSON in its one argument. */
export interface OwnerConfig {
  readonly kind: ServerKind
  readonly url: string
  /** Of the store: a schema, or a prefix. */
  readonly name: string
  readonly fastPath: boolean
  /**
   * `durable`: that many callers for that long. `drain`: until the budget is exhausted. `cold`: that by many engines, which are not open before. `by hand`: as
   * `durable`, a statement or script for each.
   */
  readonly work: 'durable' | 'drain' | 'cold' | 'by hand'
  /** Of work `cold`. */
  readonly engines?: number
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
  /** Of work `cold`. */
  readonly engines?: readonly EngineResult[]
}

/** What one engine of work `cold` was answered. */
export interface EngineResult {
  readonly admitted: number
  /** Requests that got an error. */
  readonly failed: number
  /** And reads. */
  readonly exchanges: number
  readonly firstAdmissionMs: number
}

/** Printed when everything is open. It begins with the next line of input, so that all processes begin together. */
export const READY = 'ready'
export const HOT = 'hot'
export const MINTED = 1_000_000_000_000
export const DRAINED = 1_000_000
export const COLD_UNITS = 1_000_000
