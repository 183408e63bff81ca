import { chargeOf, noteCharge } from '../http/charges.ts'
import type { Denial } from '../http/denial.ts'
import { CLIENT_CLOSED } from '../http/ended.ts'
import type { Header } from '../http/header.ts'
import type { LimitOptions } from '../http/limit-options.ts'
import { isGone, whenEnded } from '../http/node-exchange.ts'
import { PROBLEM_CONTENT_TYPE } from '../http/problem.ts'
import { errorFrom, RequestError } from '../http/request-error.ts'
import { type Outcome, RequestLimiter } from '../http/request-limiter.ts'
import type { Spent } from '../http/spent.ts'
import type { Vsa } from '../index.ts'
import { tellingEnd } from './body-end.ts'
import { type LimitedContext, nodeOf } from './limited-context.ts'

export { addressKey } from '../http/address-key.ts'
export { RequestError, type RequestErrorCode } from '../http/request-error.ts'
export type * from '../http/denial.ts'
export type * from '../http/ended.ts'
export type * from '../http/limit-options.ts'
export type * from '../http/problem.ts'
export type * from '../http/reserved-units.ts'
export type { LimitedContext } from './limited-context.ts'
export { chargeOf }

export interface HonoLimitOptions<Context> extends LimitOptions<Context> {
  /** The other end of the socket. Default: as `@hono/node-server` has it. For other runtimes: `(c) => getConnInfo(c).remote.address` of theirs. */
  readonly remoteAddress?: (context: Context) => string | undefined
  /** Answers a denied request, in place of problem+json. The headers are added to it. The handler does not run. */
  readonly onDenied?: (denial: Denial, context: Context) => Response | Promise<Response>
}

/**
 * A middleware for Hono 4. Decides before the handler: denied requests are answered with 429, and with 503 where the store does not answer. A client
 * that hung up before the decision has its units back, and its handler does not run. The engine stays yours to close.
 * @throws TypeError, RangeError that name the option. `app.onError` gets RequestError, and what functions of yours throw
 */
export function honoLimit<Context extends LimitedContext = LimitedContext>(
  vsa: Vsa,
  options: HonoLimitOptions<Context>,
): (context: Context, next: () => Promise<void>) => Promise<Response | void> {
  const remoteAddress = options.remoteAddress ?? ((context: Context) => nodeOf(context)?.incoming.socket.remoteAddress)
  const limiter = new RequestLimiter<Context>(
    vsa,
    options,
    (context) => ({ remoteAddress: remoteAddress(context), forwardedFor: context.req.header('x-forwarded-for') }),
    ['remoteAddress', 'onDenied'],
  )
  return async (context, next) => {
    const outcome = await checked(limiter, context)
    if (outcome.kind === 'skipped') {
      await next()
      return undefined
    }
    if (outcome.kind === 'denied') {
      context.status(outcome.denial.status)
      const answered = await options.onDenied?.(outcome.denial, context)
      // The headers of a redirect or of a fetched response cannot be changed.
      const response = answered === undefined ? problemResponse(outcome.denial) : new Response(answered.body, answered)
      return withHeaders(response, outcome.headers)
    }
    const { spent, headers } = outcome
    if (hasHungUp(context)) {
      spent.abandon()
      return new Response(null, { status: CLIENT_CLOSED.status })
    }
    const afterHandler = spent.isWatched ? watch(context, spent) : null
    await next()
    for (const { name, value, isList } of headers) context.header(name, value, { append: isList })
    afterHandler?.()
    return undefined
  }
}

/** On Node the end of the socket's response is told; elsewhere the end of the body. @returns to call when there is a response */
function watch(context: LimitedContext, spent: Spent): () => void {
  noteCharge(context, spent)
  const node = nodeOf(context)
  if (node !== null) {
    whenEnded(node.outgoing, (ended) => spent.end(ended))
    return () => undefined
  }
  return () => {
    if (hasHungUp(context)) return spent.end(CLIENT_CLOSED)
    context.res = tellingEnd(context.res, (ended) => spent.end(ended))
  }
}

function hasHungUp(context: LimitedContext): boolean {
  const node = nodeOf(context)
  return node === null ? context.req.raw.signal.aborted : isGone(node.outgoing)
}

function problemResponse({ problem, status }: Denial): Response {
  return new Response(JSON.stringify(problem), { status, headers: { 'Content-Type': PROBLEM_CONTENT_TYPE } })
}

function withHeaders(response: Response, headers: readonly Header[]): Response {
  for (const { name, value, isList } of headers) {
    if (isList) response.headers.append(name, value)
    else response.headers.set(name, value)
  }
  return response
}

/** Hono answers an error that has a response with it. */
async function checked<Context>(limiter: RequestLimiter<Context>, context: Context): Promise<Outcome> {
  try {
    return await limiter.check(context)
  } catch (error) {
    if (error instanceof RequestError)
      Object.assign(error, { getResponse: () => new Response(error.message, { status: error.statusCode }) })
    throw errorFrom(error)
  }
}
