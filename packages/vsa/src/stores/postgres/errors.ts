import { InvariantError, StoreError, type Applied, type StoreErrorCode } from '../../core/errors.ts'

/** The step that failed. Only a message with a commit may have been applied. */
export type Phase = 'connect' | 'work' | 'commit'

interface Fault {
  readonly code: StoreErrorCode
  readonly transient: boolean
  readonly advice: string
  /** The server said that it ends the connection: in a commit, the outcome is not known. */
  readonly endsConnection?: true
}

const AGAIN = 'it will be tried again'
const BUSY: Fault = { code: 'store_busy', transient: true, advice: `held by other transactions for too long; ${AGAIN}` }
const FULL: Fault = { code: 'disk_full', transient: true, advice: 'free space on the disk of the server' }
const DENIED: Fault = {
  code: 'store_failed',
  transient: false,
  advice: 'this role may not do it: grant it the rights to the schema',
}
const MISSING: Fault = {
  code: 'store_failed',
  transient: false,
  advice: 'the schema or a part of it is missing: restore it, or restart every process that uses it',
}
const ENDED: Fault = {
  code: 'store_lost',
  transient: true,
  advice: `the server ended the connection; ${AGAIN}`,
  endsConnection: true,
}
const NOT_READY: Fault = { code: 'store_lost', transient: true, advice: `the server takes no connection now; ${AGAIN}` }
const FAILED: Fault = { code: 'store_failed', transient: false, advice: 'see the log of the server' }

/** By SQLSTATE, the longest prefix first. */
const FAULTS: readonly (readonly [prefix: string, fault: Fault])[] = [
  ['55P03', BUSY],
  ['57014', { ...BUSY, advice: `the statement was cancelled, or took longer than statement_timeout; ${AGAIN}` }],
  ['40', { ...BUSY, advice: `it collided with another transaction; ${AGAIN}` }],
  ['53100', FULL],
  ['53300', { ...NOT_READY, advice: `all connections of the server are taken; ${AGAIN}` }],
  ['53', { code: 'store_failed', transient: true, advice: `the server lacks memory or another resource; ${AGAIN}` }],
  [
    '25006',
    {
      code: 'read_only',
      transient: true,
      advice: `the server is read-only, as a standby is; after a failover ${AGAIN}`,
    },
  ],
  ['25P03', ENDED],
  ['57P01', ENDED],
  ['57P02', ENDED],
  ['57P03', NOT_READY],
  ['08', ENDED],
  ['42501', DENIED],
  ['42P01', MISSING],
  ['42883', MISSING],
  ['3F000', MISSING],
  ['28', { ...DENIED, advice: 'the server refused the role or its password' }],
  ['', FAILED],
]

/** A row of the same name was made by another transaction in the meantime. */
const UNIQUE_VIOLATION = '23505'
/** An amount that no row may have. */
const CHECK_VIOLATION = '23514'
const OUT_OF_RANGE = '22003'
/** What pools say that were ended: `pg` has no code for it. */
const POOL_ENDED = /after calling end|pool (?:is|was|has been) (?:closed|ended)/i

/**
 * Converts the error of a driver to a StoreError. What is no failure of the store, such as a failed assertion, is returned unchanged: a bug must
 * not look like an operating failure.
 * @param schema for the message
 */
export function storeErrorOf(error: unknown, schema: string, phase: Phase): unknown {
  if (error instanceof StoreError || error instanceof InvariantError) return error
  const detail = detailOf(error)
  const failure = (fault: Fault, applied: Applied): StoreError =>
    new StoreError(fault.code, `Postgres schema ${schema}: ${fault.advice} (${detail})`, {
      applied,
      transient: fault.transient,
      cause: error,
    })
  const state = sqlStateOf(error)
  if (state !== undefined) {
    const fault = faultOf(state)
    return failure(fault, phase === 'commit' && fault.endsConnection ? 'unknown' : 'no')
  }
  if (POOL_ENDED.test(detail))
    return failure({ code: 'store_closed', transient: false, advice: 'the pool has been ended' }, 'no')
  const what = phase === 'connect' ? 'no connection to the server' : 'the connection to the server was lost'
  return failure({ code: 'store_lost', transient: true, advice: `${what}; ${AGAIN}` }, appliedBy(detail, phase))
}

/** The server found its own files or indexes damaged. */
export function isDamage(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith('XX00') === true && sqlStateOf(error) !== 'XX000'
}

/** There is no store to read in this schema. */
export function noStore(schema: string): StoreError {
  const message = `Postgres schema ${schema} has no store of vsa: name the schema of one, as in postgres://host/database?schema=NAME`
  return new StoreError('not_a_database', message, { applied: 'no', transient: false })
}

/** Another transaction made the row first: the rows must be loaded again. */
export function isConflict(error: unknown): boolean {
  return sqlStateOf(error) === UNIQUE_VIOLATION
}

/** The fast path does not decide this batch, or could not apply it as a whole: all of it is undone, and the general path says more. */
export function isUndecided(error: unknown): boolean {
  return ['VS003', CHECK_VIOLATION, OUT_OF_RANGE].includes(sqlStateOf(error) ?? '')
}

/** An answer of the server, and not a failure of the driver or the network. */
export function isFromServer(error: unknown): boolean {
  return sqlStateOf(error) !== undefined
}

/** An error after which the connection takes no more messages. */
export function endsConnection(error: unknown): boolean {
  const state = sqlStateOf(error)
  return state === undefined || faultOf(state).endsConnection === true
}

export function unsafe(schema: string, what: string): StoreError {
  return new StoreError('store_unsafe', `Postgres schema ${schema}: ${what}`, { applied: 'no', transient: false })
}

export function tooNew(schema: string, version: number, known: number): StoreError {
  const message = `Postgres schema ${schema} has version ${version}, written by a newer vsa; this one knows version ${known}. Upgrade vsa in this process`
  return new StoreError('schema_too_new', message, { applied: 'no', transient: false })
}

export function notStarted(schema: string): StoreError {
  const message = `Postgres schema ${schema} is missing or is not a store of vsa, although it was one before: restore it, or restart every process that uses it`
  return new StoreError('database_replaced', message, { applied: 'no', transient: false })
}

/** A row was removed between two steps of the load. */
export function rowsMoved(schema: string): StoreError {
  const message = `Postgres schema ${schema}: a row was removed while this exchange waited for it; ${AGAIN}`
  return new StoreError('store_busy', message, { applied: 'no', transient: true })
}

/** A connection that `pg` knows to be broken sends nothing. */
function appliedBy(detail: string, phase: Phase): Applied {
  return phase === 'commit' && !detail.includes('not queryable') ? 'unknown' : 'no'
}

function faultOf(state: string): Fault {
  return FAULTS.find(([prefix]) => state.startsWith(prefix))?.[1] ?? FAILED
}

/** The five characters of the server's error; undefined for an error of the driver, the network or Node (`EPIPE`). */
function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return undefined
  return /^[0-9A-DF-Z][0-9A-Z]{4}$/.test(error.code) ? error.code : undefined
}

/** Of several addresses that all refuse, Node makes one error without a message. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}
