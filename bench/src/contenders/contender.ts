import type { Place } from './place.ts'
import type { Trace } from '../workloads/trace.ts'

export type StoreKind = 'memory' | 'sqlite' | 'postgres' | 'redis'

/** A way to decide whether a request may spend units. All are driven alike. */
export interface Contender {
  readonly name: string
  /** For the reports. */
  readonly title: string
  readonly group: 'vsa-leased' | 'vsa-durable' | 'per-request' | 'in-memory' | 'inexact'
  readonly store: StoreKind
  /** Whether what it admits survives a crash, when it answers (`answer`), up to a stated number of units (`bounded`), or not at all. */
  readonly durable: 'answer' | 'bounded' | 'no'
  /** Whether it promises never to admit more than there is. One that does not hold this promise is refused. */
  readonly isExact: boolean
  /** What it cannot do. Workloads that need it are left out. */
  readonly lacks: readonly Need[]
  /** What one store call of it is, on Redis. Default: a script. */
  readonly asksBy?: 'commands'
  /** A fault on purpose: it runs only where it is asked for by its name. */
  readonly isPlanted?: true
  open(place: Place, trace: Trace): Promise<Limiter>
}

export type Need = 'refunds' | 'costs'

/** An open contender. Keys are indexes into the names of the trace. */
export interface Limiter {
  /** Decides now, or asks its store. */
  admit(key: number, units: number): boolean | Promise<boolean>
  /** Gives back what was admitted. */
  refund(key: number, units: number): void | Promise<unknown>
  /** Reserves `most`, meters, and settles `actual`. Without it the driver admits `most` and gives the rest back. */
  readonly work?: (key: number, most: number, actual: number) => Promise<boolean>
  /** Its own count of store calls so far, where it has one. */
  exchanges?(): number
  /** Operations and rows written so far (N and I), where it has such counts. */
  readonly figures?: () => { readonly operations: number; readonly records: number }
  /** Sends what has not been sent, so that a pause makes no store calls. */
  pause?(): Promise<unknown>
  close(): Promise<unknown>
  /** After the close: what the store has, of all processes. */
  books(): Promise<Books>
}

export interface Books {
  /** Of each key: admitted and not given back. */
  readonly used: Float64Array
  /** Units that are spent although no request has got them. */
  readonly burned: number
  /** Units that are in no account, or still in a lease or a reservation. */
  readonly missing: number
}

/** Books of a contender that has no leases. */
export function plainBooks(used: Float64Array): Books {
  return { used, burned: 0, missing: 0 }
}

/** A column of figures by key. */
export function usedOf(trace: Trace, unitsOf: (name: string, index: number) => number): Float64Array {
  return Float64Array.from(trace.names, unitsOf)
}

/** The index of each name. */
export function indexesOf(trace: Trace): ReadonlyMap<string, number> {
  return new Map(trace.names.map((name, index) => [name, index]))
}
