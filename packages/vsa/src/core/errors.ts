/** The codes of all operating failures. Stable: programs may switch on them. */
export type ErrorCode =
  | 'closed'
  | 'close_ambiguous'
  | 'policy_conflict'
  | 'durable_only'
  | 'id_conflict'
  | 'reservation_unknown'
  | 'reservation_open'
  | 'intents_unsupported'
  | 'deletion_unsupported'
  | 'units_overflow'
  | 'too_many_waiters'
  | 'timeout'
  | 'quarantined'
  | 'row_lost'
  | 'store_unavailable'
  | StoreErrorCode

/** The codes of store failures. */
export type StoreErrorCode =
  | 'store_failed'
  | 'store_busy'
  | 'store_lost'
  | 'store_closed'
  | 'not_a_database'
  | 'schema_too_new'
  | 'read_only'
  | 'disk_full'
  | 'folder_missing'
  | 'database_replaced'
  | 'store_unsafe'
  | 'store_damaged'
  | 'driver_missing'

/** `no`: the call was surely not applied. `unknown`: it may have been. */
export type Applied = 'no' | 'unknown'

export interface VsaErrorOptions {
  readonly applied?: Applied
  readonly statusCode?: number
  readonly cause?: unknown
}

/** An operating failure: never a denial, never a bug. The message says what happened, to which budget, and what to do. */
export class VsaError extends Error {
  override readonly name: string = 'VsaError'
  readonly code: ErrorCode
  /** `no`: nothing was spent, refunded or minted. `unknown`: it may have been. */
  readonly applied: Applied
  /** The matching HTTP status: 503 when the store was unavailable, 500 otherwise. */
  readonly statusCode: number

  constructor(code: ErrorCode, message: string, options: VsaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.applied = options.applied ?? 'no'
    this.statusCode = options.statusCode ?? 500
  }
}

/** A failure of a store. `transient`: a retry may help; otherwise an operator must act first. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError'
  readonly code: StoreErrorCode
  readonly applied: Applied
  readonly transient: boolean

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { readonly applied: Applied; readonly transient: boolean; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.applied = options.applied
    this.transient = options.transient
  }
}

/** A bug in VSA or a store, found by an assertion before anything was written. */
export class InvariantError extends Error {
  override readonly name: string = 'InvariantError'
}

/** Assertions stay on in production. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
