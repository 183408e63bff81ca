import { InvariantError, StoreError, type Applied, type StoreErrorCode } from '../../core/errors.ts'

/** The step that failed. Only a script that writes may have been applied. */
export type Phase = 'load' | 'save'

interface Fault {
  readonly code: StoreErrorCode
  readonly transient: boolean
  readonly advice: string
  /** Of a script that writes; one that only loads is surely not applied. */
  readonly applied: Applied
}

const AGAIN = 'it will be tried again'

/** The server refused before the script wrote anything (R2). */
const refused = (code: StoreErrorCode, transient: boolean, advice: string): Fault => ({
  code,
  transient,
  advice,
  applied: 'no',
})
/** The connection failed while the answer was awaited, or perhaps before the request was sent. */
const lost = (advice: string): Fault => ({
  code: 'store_lost',
  transient: true,
  advice: `${advice}; ${AGAIN}`,
  applied: 'unknown',
})

const NOT_SENT = refused('store_lost', true, `no connection to the server; ${AGAIN}`)
const NOT_READY = refused('store_lost', true, `the server takes no requests now; ${AGAIN}`)
const READ_ONLY = refused(
  'read_only',
  true,
  `the server is a replica, which takes no writes; after a failover ${AGAIN}`,
)
const FULL = refused(
  'disk_full',
  true,
  `the server has no memory left (maxmemory). Raise it, or remove what does not belong to vsa; ${AGAIN}`,
)
const NOT_SAVED = refused('disk_full', true, 'the server cannot write its file, and so takes no writes: see its log')
const DENIED = refused(
  'store_failed',
  false,
  'the server refused the user, its password, or a command that it may not run',
)
const FOREIGN = refused(
  'store_failed',
  false,
  'a key of the store is of another type: another program has written to it',
)

/** By the first word of the server's answer. */
const REPLIES: ReadonlyMap<string, Fault> = new Map([
  ['NOSCRIPT', refused('store_lost', true, `the server forgot the script; ${AGAIN}`)],
  ['LOADING', NOT_READY],
  ['BUSY', refused('store_busy', true, `the server runs another script; ${AGAIN}`)],
  ['CLUSTERDOWN', NOT_READY],
  ['TRYAGAIN', NOT_READY],
  ['MOVED', NOT_READY],
  ['ASK', NOT_READY],
  ['MASTERDOWN', NOT_READY],
  ['READONLY', READ_ONLY],
  ['NOREPLICAS', refused('store_lost', true, `too few replicas are connected (min-replicas-to-write); ${AGAIN}`)],
  ['OOM', FULL],
  ['MISCONF', NOT_SAVED],
  ['NOAUTH', DENIED],
  ['WRONGPASS', DENIED],
  ['NOPERM', DENIED],
  ['WRONGTYPE', FOREIGN],
  ['UNKILLABLE', lost('the server is running a script that cannot be stopped')],
])

/** What the clients say, ioredis or node-redis: the first that fits. */
const CLIENT_FAULTS: readonly (readonly [said: RegExp, fault: Fault])[] = [
  [/isn't writeable|client is offline|client is closed|Cluster isn't ready|subscriber mode/i, NOT_SENT],
  [/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|Connection timeout|connect ETIMEDOUT/i, NOT_SENT],
  [/None of startup nodes|root nodes are unavailable|Failed to refresh slots cache|Cluster is ended/i, NOT_SENT],
  [/Too many Cluster redirections/i, NOT_READY],
  [/timed? ?out|timeout/i, lost('the server did not answer in time')],
  [/the command was aborted/i, NOT_SENT],
]

/**
 * Converts the error of a client to a StoreError. What is no failure of the store, such as a failed assertion, is returned unchanged: a bug must
 * not look like an operating failure.
 * @param prefix for the message
 */
export function storeErrorOf(error: unknown, prefix: string, phase: Phase): unknown {
  if (error instanceof StoreError || error instanceof InvariantError) return error
  const detail = detailOf(error)
  const { code, transient, advice, applied } = faultOf(detail)
  return failure(code, prefix, `${advice} (${detail})`, {
    applied: phase === 'save' ? applied : 'no',
    transient,
    cause: error,
  })
}

/** The server does not have the script, because it was restarted, or flushed its scripts. Nothing was run. */
export function isNoScript(error: unknown): boolean {
  return replyOf(detailOf(error)) === 'NOSCRIPT'
}

/** An answer of the server, and not a failure of the client or the network. */
export function isReply(error: unknown): boolean {
  return replyOf(detailOf(error)) !== undefined
}

export function unsafe(prefix: string, what: string): StoreError {
  return failure('store_unsafe', prefix, what, SURELY_NOT)
}

export function noStore(prefix: string): StoreError {
  const what = 'the server has no store of vsa: name the prefix of one, as in redis://host?prefix=NAME'
  return failure('not_a_database', prefix, what, SURELY_NOT)
}

/** Whether a failure says that the keys are not those of a whole store. */
export function isDamage({ code, cause }: StoreError): boolean {
  return code === 'store_damaged' || (cause !== undefined && replyOf(detailOf(cause)) === 'WRONGTYPE')
}

export function clientEnded(prefix: string): StoreError {
  return failure('store_closed', prefix, 'the client has been closed', SURELY_NOT)
}

export function clientNotConnected(prefix: string): StoreError {
  const what = `the client is not connected: await its connect(); ${AGAIN}`
  return failure('store_lost', prefix, what, { applied: 'no', transient: true })
}

/** R6: nothing is made or granted until an operator decides. */
export function storeDamaged(prefix: string, what: string): StoreError {
  const advice = 'Rows were removed by another program, or evicted: restore a backup, or remove all keys of this prefix'
  return failure('store_damaged', prefix, `${what}. ${advice}`, SURELY_NOT)
}

export function storeTooNew(prefix: string, version: string, known: number): StoreError {
  const what = `it has version ${version}, written by a newer vsa; this one knows version ${known}. Upgrade vsa in this process`
  return failure('schema_too_new', prefix, what, SURELY_NOT)
}

export function storeMissing(prefix: string): StoreError {
  return failure(
    'store_lost',
    prefix,
    `all keys were removed, or replaced by older ones, while they were used; ${AGAIN}`,
    {
      applied: 'no',
      transient: true,
    },
  )
}

/** The process of the server changed again while the new one was checked. */
export function storeChanging(prefix: string): StoreError {
  return failure('store_lost', prefix, `the server was replaced during the call; ${AGAIN}`, {
    applied: 'no',
    transient: true,
  })
}

const SURELY_NOT = { applied: 'no', transient: false } as const

function failure(
  code: StoreErrorCode,
  prefix: string,
  message: string,
  options: { readonly applied: Applied; readonly transient: boolean; readonly cause?: unknown },
): StoreError {
  return new StoreError(code, `Redis store ${prefix}: ${message}`, options)
}

function faultOf(detail: string): Fault {
  const reply = replyOf(detail)
  // A slot is on its way to another node. The scripts read such keys before they write.
  if (detail.includes('non local key')) return NOT_READY
  if (reply !== undefined) return REPLIES.get(reply) ?? FAILED
  return CLIENT_FAULTS.find(([said]) => said.test(detail))?.[1] ?? lost('the connection to the server was lost')
}

/** An error of a script itself, with the number of a line: a bug. It may have come behind a write. */
const FAILED: Fault = { code: 'store_failed', transient: false, advice: 'the script failed', applied: 'unknown' }

/**
 * The first word of an answer of the server; undefined for what the client or the network says. Before Redis 7, an error inside a script is hidden in
 * that of the script.
 */
function replyOf(detail: string): string | undefined {
  const word = /^[A-Z][A-Z0-9]+(?= )/.exec(detail)?.[0]
  const inScript = word === 'ERR' ? /@user_script: ?\d+: -?([A-Z]+) /.exec(detail)?.[1] : undefined
  return inScript !== undefined && REPLIES.has(inScript) ? inScript : word
}

/** Of several addresses that all refuse, Node makes one error without a message. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}
