import { chargeOf, noteCharge } from '../http/charges.ts'
import type { Denial } from '../http/denial.ts'
import type { Header } from '../http/header.ts'
import { isGone, whenEnded } from '../http/node-exchange.ts'
import { PROBLEM_CONTENT_TYPE } from '../http/problem.ts'
import type { Outcome } from '../http/request-limiter.ts'
import { checked, whenAnswered, whenChecked } from '../http/when-checked.ts'
import type { Vsa } from '../index.ts'
import type { FastifyLimitOptions, LimitedInstance, LimitedReply, LimitedRequest } from './fastify-types.ts'
import { type RouteLimiter, RouteLimiters } from './route-limiters.ts'

export { addressKey } from '../http/address-key.ts'
export { RequestError, type RequestErrorCode } from '../http/request-error.ts'
export type * from '../http/denial.ts'
export type * from '../http/ended.ts'
export type * from '../http/limit-options.ts'
export type * from '../http/problem.ts'
export type * from '../http/reserved-units.ts'
export type * from './fastify-types.ts'
export { chargeOf }

type Done = (error?: Error) => void

/** How Fastify prints the routes of an instance that has none yet. Printed in another way, each request looks at its route's config. */
const NO_ROUTES = '(empty tree)'

/** A plugin of Fastify. */
export type FastifyLimit<Request, Reply> = (
  instance: LimitedInstance<Request, Reply>,
  options: object,
  done: Done,
) => void

/**
 * A plugin for Fastify 5: `app.register(fastifyLimit(vsa, options))`. Limits every route of the instance that registers it, and requests that no route
 * matches; `config.limit` of a route is false, or options that replace those of the plugin. Decides before the handler: denied requests are answered
 * with 429, and with 503 where the store does not answer. A client that hung up before the decision has its units back, and its handler does not run. The
 * engine stays yours to close.
 * @throws TypeError, RangeError that name the option. The error handler gets RequestError, and what functions of yours throw
 */
export function fastifyLimit<
  Request extends LimitedRequest = LimitedRequest,
  Reply extends LimitedReply = LimitedReply,
>(vsa: Vsa, options: FastifyLimitOptions<Request, Reply>): FastifyLimit<Request, Reply> {
  const limiters = new RouteLimiters<Request, Reply>(vsa, options)
  const plugin: FastifyLimit<Request, Reply> = (instance, _options, done) => {
    instance.addHook(options.hook ?? 'onRequest', (request, reply, go) => {
      const route = limiters.of(request)
      if (route === null) return go()
      const outcome = checked(route.limiter, request)
      if (outcome instanceof Promise) whenChecked(outcome, (later) => prepare(later, { route, request, reply, go }), go)
      else if (outcome.kind === 'failed') go(outcome.error)
      else prepare(outcome, { route, request, reply, go })()
      return undefined
    })
    if (instance.printRoutes?.() !== NO_ROUTES) limiters.expectUnseen()
    instance.addHook('onRoute', ({ config }) => limiters.verify(config))
    if (options.flushOnClose === true) instance.addHook('onClose', () => vsa.flush())
    done()
  }
  // The plugin limits the instance that registers it, not a child of its own.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'vsa' })
}

const NOTHING = (): void => undefined

interface Exchange<Request, Reply> {
  readonly route: RouteLimiter<Request, Reply>
  readonly request: Request
  readonly reply: Reply
  readonly go: Done
}

/** @returns what comes next */
function prepare<Request extends LimitedRequest, Reply extends LimitedReply>(
  outcome: Outcome,
  exchange: Exchange<Request, Reply>,
): () => void {
  const { request, reply, go } = exchange
  switch (outcome.kind) {
    case 'skipped':
      return go
    case 'denied':
      setHeaders(reply, outcome.headers)
      deny(outcome.denial, exchange)
      return NOTHING
    case 'admitted': {
      const { spent, headers } = outcome
      if (isGone(reply.raw)) {
        reply.hijack()
        spent.abandon()
        return NOTHING
      }
      if (spent.isWatched) {
        noteCharge(request, spent)
        whenEnded(reply.raw, (ended) => spent.end(ended))
      }
      setHeaders(reply, headers)
      return go
    }
  }
}

function deny<Request, Reply extends LimitedReply>(
  denial: Denial,
  { route, request, reply, go }: Exchange<Request, Reply>,
): void {
  reply.code(denial.status)
  const { onDenied } = route
  if (onDenied !== undefined) {
    const send = (answered: unknown): void => {
      if (answered !== undefined && !reply.sent) reply.send(answered)
    }
    return whenAnswered(() => onDenied(denial, request, reply), go, send)
  }
  reply.header('content-type', PROBLEM_CONTENT_TYPE)
  reply.send(JSON.stringify(denial.problem))
}

/** A list goes behind what another plugin has written. */
function setHeaders(reply: LimitedReply, headers: readonly Header[]): void {
  for (const { name, value, isList } of headers) {
    const lowerName = lowerCase(name)
    const before = isList ? reply.getHeader(lowerName) : undefined
    reply.header(lowerName, before === undefined ? value : `${String(before)}, ${value}`)
  }
}

/** Names of headers, as Fastify writes them. Given so, it makes no new string of them for each request. */
const lowerNames = new Map<string, string>()

function lowerCase(name: string): string {
  const known = lowerNames.get(name)
  if (known !== undefined) return known
  const lowerName = name.toLowerCase()
  lowerNames.set(name, lowerName)
  return lowerName
}
