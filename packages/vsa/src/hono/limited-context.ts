import type { NodeRequest, NodeResponse } from '../http/node-exchange.ts'

/** What the middleware needs of a context of Hono. */
export interface LimitedContext {
  readonly req: {
    readonly raw: Request
    header(name: string): string | undefined
  }
  readonly env: unknown
  res: Response
  status(status: 429 | 503): void
  header(name: string, value: string, options?: { readonly append?: boolean }): void
}

/** What `@hono/node-server` puts into `env`. */
export interface NodeBindings {
  readonly incoming: NodeRequest
  readonly outgoing: NodeResponse
}

/** Null: the app runs on something else than `@hono/node-server`. */
export function nodeOf({ env }: LimitedContext): NodeBindings | null {
  return isNodeBindings(env) ? env : null
}

function isNodeBindings(env: unknown): env is NodeBindings {
  return typeof env === 'object' && env !== null && 'incoming' in env && 'outgoing' in env
}
