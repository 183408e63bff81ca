import type { Denial } from '../http/denial.ts'
import type { LimitOptions } from '../http/limit-options.ts'
import type { NodeRequest, NodeResponse } from '../http/node-exchange.ts'

/** What the plugin needs of a request of Fastify. */
export interface LimitedRequest {
  readonly raw: NodeRequest
  readonly routeOptions: { readonly config: object }
}

/** What the plugin needs of a reply. */
export interface LimitedReply {
  readonly raw: NodeResponse
  readonly sent: boolean
  code(status: number): unknown
  header(name: string, value: string): unknown
  getHeader(name: string): unknown
  hijack(): unknown
  send(payload: unknown): unknown
}

type Hook<Request, Reply> = (request: Request, reply: Reply, done: (error?: Error) => void) => void

/** What the plugin needs of an instance. */
export interface LimitedInstance<Request, Reply> {
  addHook(name: 'onRequest' | 'preHandler', hook: Hook<Request, Reply>): unknown
  addHook(name: 'onRoute', hook: (route: { readonly config?: object | undefined }) => void): unknown
  addHook(name: 'onClose', hook: () => Promise<void>): unknown
  printRoutes?(): string
}

export interface FastifyLimitOptions<Request = LimitedRequest, Reply = LimitedReply> extends LimitOptions<Request> {
  /** When it decides: `onRequest`, before the body is read, or `preHandler`, with the body, for a cost that depends on it. Default `onRequest`. */
  readonly hook?: 'onRequest' | 'preHandler'
  /** Makes what was admitted durable when the app closes. The engine stays open: it is yours to close. Default false. */
  readonly flushOnClose?: boolean
  /** Answers a denied request, in place of problem+json: with `reply`, or with what it answers. Status and headers are set. The handler does not run. */
  readonly onDenied?: (denial: Denial, request: Request, reply: Reply) => unknown
}

/** `config.limit` of a route: other options than those of the plugin, or no limit at all. */
export type RouteLimit<Request = LimitedRequest, Reply = LimitedReply> =
  | false
  | Partial<Omit<FastifyLimitOptions<Request, Reply>, 'hook' | 'flushOnClose'>>
