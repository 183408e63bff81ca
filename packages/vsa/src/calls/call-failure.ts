/** What became of an attempt that brought no answer to read. */
export interface CallFailure {
  /** The provider may have worked for it, so its input is charged. */
  readonly mayBeBilled: boolean
  /** A client that retries by itself does so now. */
  readonly mayBeRetried: boolean
}

/** Errors before a connection was there: the request was surely not sent. */
const NOT_SENT = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_INVALID_ARG', 'ERR_INVALID_URL'],
  // Of a TLS handshake.
  ...['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
])
const NOT_SENT_PREFIXES = ['ERR_SSL_', 'ERR_TLS_']
/** `fetch` refuses these itself, and has no codes for them. */
const REFUSED_BY_FETCH = new Set(['bad port', 'unknown scheme'])
/** Errors of the AI SDK that come before its request. */
const BEFORE_THE_REQUEST = new Set([
  ...['AI_LoadAPIKeyError', 'AI_LoadSettingError', 'AI_UnsupportedFunctionalityError'],
  ...['AI_InvalidArgumentError', 'AI_InvalidPromptError', 'AI_NoSuchModelError'],
])
const CAUSES_MAX = 8

/** The provider refused: it bills nothing. @param shouldRetry its header `x-should-retry`, which its clients obey */
export function refusedWith(status: number, shouldRetry: string | null = null): CallFailure {
  const isTransient = status === 408 || status === 409 || status === 429 || status >= 500
  return { mayBeBilled: false, mayBeRetried: shouldRetry === null ? isTransient : shouldRetry === 'true' }
}

/** The call threw. An aborted one is not retried under the same reservation: a provider that was at work bills it. */
export function failedWith(error: unknown, isAborted: boolean): CallFailure {
  if (isAborted) return { mayBeBilled: true, mayBeRetried: false }
  const status = fieldOf(error, 'statusCode') ?? fieldOf(error, 'status')
  if (typeof status === 'number' && status >= 400) {
    const says = fieldOf(error, 'isRetryable')
    return refusedWith(status, typeof says === 'boolean' ? String(says) : null)
  }
  return { mayBeBilled: !wasNotSent(error), mayBeRetried: true }
}

function wasNotSent(error: unknown, depth = 0): boolean {
  if (depth >= CAUSES_MAX || error === undefined) return false
  const code = fieldOf(error, 'code')
  if (typeof code === 'string' && isBeforeSending(code)) return true
  const [name, message] = [fieldOf(error, 'name'), fieldOf(error, 'message')]
  if (typeof name === 'string' && BEFORE_THE_REQUEST.has(name)) return true
  if (depth > 0 && typeof message === 'string' && REFUSED_BY_FETCH.has(message)) return true
  // One for each address that was tried.
  const tries = fieldOf(error, 'errors')
  if (Array.isArray(tries) && tries.length > 0) return tries.every((one) => wasNotSent(one, depth + 1))
  return wasNotSent(fieldOf(error, 'cause'), depth + 1)
}

function isBeforeSending(code: string): boolean {
  return NOT_SENT.has(code) || NOT_SENT_PREFIXES.some((prefix) => code.startsWith(prefix))
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
