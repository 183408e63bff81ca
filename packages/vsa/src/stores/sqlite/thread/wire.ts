import { InvariantError, StoreError, type StoreErrorCode, type Applied } from '../../../core/errors.ts'
import type { RowName } from '../../../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../../../core/rows.ts'
import type { Caller } from '../../../core/standing.ts'
import type { Joined, ListPage, ListRange } from '../../../core/store.ts'
import type { AdapterSettings } from '../adapter.ts'
import type { DriverName } from '../client/driver.ts'
import type { SharedTime } from '../shared-time.ts'
import type { PackedAnswer, PackedBatch } from './packing.ts'

/*
 * The messages between the calling thread and the store's thread, as structured clones of lists. Batches are packed first.
 * Both ends are this package of one version, so neither checks the other's shapes.
 */

/** The start options of the thread. */
export interface ThreadSettings extends AdapterSettings {
  readonly driver: DriverName | undefined
  readonly upkeep: { readonly upkeepEveryMs: number; readonly upkeepRowsMax: number }
  /** Null: the machine's wall clock. */
  readonly time: SharedTime | null
}

/** What the thread is started with. */
export interface ThreadStart extends ThreadSettings {
  /** See `native-gate.ts`. */
  readonly gate: SharedArrayBuffer
}

/** The arguments and the result of each call. */
export interface Calls {
  join: { readonly argument: string; readonly result: Joined }
  exchange: { readonly argument: PackedBatch; readonly result: PackedAnswer }
  upkeep: { readonly argument: Caller; readonly result: number | null }
  delete: { readonly argument: string; readonly result: boolean }
  read: { readonly argument: readonly RowName[]; readonly result: readonly BudgetRow[] }
  list: { readonly argument: ListRange; readonly result: ListPage }
  owners: { readonly argument: null; readonly result: readonly OwnerRow[] }
  close: { readonly argument: null; readonly result: null }
}

export type CallName = keyof Calls

/** One call. The reply has the same `id`. */
export type Request = {
  readonly [Name in CallName]: readonly [id: number, call: Name, argument: Calls[Name]['argument']]
}[CallName]

/** The result is null where there is a failure. */
export type Reply = readonly [id: number, result: Calls[CallName]['result'], failure?: Failure]

/** An error as sent by the thread. */
export interface Failure {
  readonly kind: 'store' | 'invariant' | 'other'
  readonly message: string
  readonly stack: string | undefined
  /** Only for `store`. */
  readonly code: StoreErrorCode
  readonly applied: Applied
  readonly transient: boolean
  readonly cause: string | undefined
}

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? error.stack : undefined
  const cause = error instanceof Error && error.cause !== undefined ? String(error.cause) : undefined
  if (error instanceof StoreError) {
    const { code, applied, transient } = error
    return { kind: 'store', message, stack, code, applied, transient, cause }
  }
  const kind = error instanceof InvariantError ? 'invariant' : 'other'
  return { kind, message, stack, code: 'store_failed', applied: 'unknown', transient: false, cause }
}

export function errorOf(failure: Failure): Error {
  const { kind, message, stack, code, applied, transient, cause } = failure
  if (kind === 'invariant') return withStack(new InvariantError(message), stack)
  if (kind === 'other') return withStack(new Error(message, { cause }), stack)
  return new StoreError(code, message, { applied, transient, cause })
}

/** The stack shows where the error was thrown, not where it was received. */
function withStack(error: Error, stack: string | undefined): Error {
  if (stack !== undefined) error.stack = stack
  return error
}
