/** What became of an attempt that brought no answer to read. */
export interface CallFailure {
  /** The provider may have worked for it, so its input is charged. */
  readonly mayBeBilled: boolean
  /** A client that retries by itself does so now. */
  readonly mayBeRetried: boolean
}

/** Errors before a connection was there: the request was surely not sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])
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

function wasNotSent(error: unknown): boolean {
  let cause: unknown = error
  for (let depth = 0; depth < CAUSES_MAX && cause !== undefined; depth += 1) {
    const code = fieldOf(cause, 'code')
    if (typeof code === 'string' && NOT_SENT.has(code)) return true
    cause = fieldOf(cause, 'cause')
  }
  return false
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}
