import { sourceOfNode } from '../http/node-exchange.ts'
import { RequestLimiter } from '../http/request-limiter.ts'
import type { Vsa } from '../index.ts'
import type { FastifyLimitOptions, LimitedReply, LimitedRequest } from './fastify-types.ts'

/** What decides the requests of a route. */
export interface RouteLimiter<Request, Reply> {
  readonly limiter: RequestLimiter<Request>
  readonly onDenied: FastifyLimitOptions<Request, Reply>['onDenied']
}

const OWN_OPTIONS = ['hook', 'flushOnClose', 'onDenied']

/** The limiter of each route: that of the plugin, or one of `config.limit`. */
export class RouteLimiters<Request extends LimitedRequest, Reply extends LimitedReply> {
  readonly #vsa: Vsa
  readonly #options: FastifyLimitOptions<Request, Reply>
  readonly #common: RouteLimiter<Request, Reply>
  /** By the object in the route's config, which lives as long as the route. */
  readonly #own = new WeakMap<object, RouteLimiter<Request, Reply>>()
  /** A route may have a limit of its own: Fastify makes an object for each look at the config of a request's route. */
  #mayDiffer = false

  constructor(vsa: Vsa, options: FastifyLimitOptions<Request, Reply>) {
    this.#vsa = vsa
    this.#options = options
    this.#common = this.#limiter(options)
  }

  /** Null: the route has no limit. @throws TypeError, RangeError for wrong options of a route */
  of(request: Request): RouteLimiter<Request, Reply> | null {
    return this.#mayDiffer ? this.#ofConfig(request.routeOptions.config) : this.#common
  }

  /** There are routes that `verify` has not seen, because they were there before. */
  expectUnseen(): void {
    this.#mayDiffer = true
  }

  /** Of a route that is registered after the plugin: wrong options are found at once. @throws TypeError, RangeError that name the option */
  verify(config: object = {}): void {
    if (this.#ofConfig(config) !== this.#common) this.#mayDiffer = true
  }

  #ofConfig(config: object): RouteLimiter<Request, Reply> | null {
    const limit: unknown = 'limit' in config ? config.limit : undefined
    if (limit === undefined) return this.#common
    if (limit === false) return null
    if (typeof limit !== 'object' || limit === null) throw new TypeError('config.limit must be false, or options')
    return this.#own.get(limit) ?? this.#make(limit)
  }

  #make(limit: object): RouteLimiter<Request, Reply> {
    for (const name of ['hook', 'flushOnClose'])
      if (name in limit) throw new TypeError(`config.limit.${name} is an option of the plugin alone`)
    const made = this.#limiter({ ...this.#options, ...limit })
    this.#own.set(limit, made)
    return made
  }

  #limiter(options: FastifyLimitOptions<Request, Reply>): RouteLimiter<Request, Reply> {
    const limiter = new RequestLimiter<Request>(this.#vsa, options, ({ raw }) => sourceOfNode(raw), OWN_OPTIONS)
    return { limiter, onDenied: options.onDenied }
  }
}
