import { chargeOf, noteCharge } from '../http/charges.ts'
import type { Denial } from '../http/denial.ts'
import type { LimitOptions } from '../http/limit-options.ts'
import {
  isGone,
  type NodeRequest,
  type NodeResponse,
  setHeaders,
  sourceOfNode,
  whenEnded,
} from '../http/node-exchange.ts'
import { PROBLEM_CONTENT_TYPE } from '../http/problem.ts'
import { type Outcome, RequestLimiter } from '../http/request-limiter.ts'
import { checked, whenAnswered, whenChecked } from '../http/when-checked.ts'
import type { Vsa } from '../index.ts'

export { addressKey } from '../http/address-key.ts'
export { RequestError, type RequestErrorCode } from '../http/request-error.ts'
export type * from '../http/denial.ts'
export type * from '../http/ended.ts'
export type * from '../http/limit-options.ts'
export type * from '../http/problem.ts'
export type * from '../http/reserved-units.ts'
export { chargeOf }

/** A request and a response of Express 4 or 5, or of Node. */
export type { NodeRequest, NodeResponse }

export interface ExpressLimitOptions<Request, Response> extends LimitOptions<Request> {
  /** Answers a denied request, in place of problem+json. Status and headers are set. The handler does not run. */
  readonly onDenied?: (denial: Denial, request: Request, response: Response) => unknown
}

type Next = (error?: unknown) => void

/**
 * A middleware for Express 4 and 5, and for anything else that calls `(request, response, next)` with those of Node. Decides before what comes after it:
 * admitted requests go on, denied ones are answered with 429, and with 503 where the store does not answer. A client that hung up before the decision
 * has its units back, and nothing comes after. The engine stays yours to close.
 * @throws TypeError, RangeError that name the option. `next` gets RequestError, and what functions of yours throw
 */
export function expressLimit<Request extends NodeRequest = NodeRequest, Response extends NodeResponse = NodeResponse>(
  vsa: Vsa,
  options: ExpressLimitOptions<Request, Response>,
): (request: Request, response: Response, next: Next) => void {
  const limiter = new RequestLimiter<Request>(vsa, options, sourceOfNode, ['onDenied'])
  return (request, response, go) => {
    const outcome = checked(limiter, request)
    if (outcome instanceof Promise)
      whenChecked(outcome, (later) => prepare(later, { options, request, response, go }), go)
    else if (outcome.kind === 'failed') go(outcome.error)
    else prepare(outcome, { options, request, response, go })()
  }
}

const NOTHING = (): void => undefined

interface Exchange<Request, Response> {
  readonly options: ExpressLimitOptions<Request, Response>
  readonly request: Request
  readonly response: Response
  readonly go: Next
}

/** @returns what comes next */
function prepare<Request extends NodeRequest, Response extends NodeResponse>(
  outcome: Outcome,
  exchange: Exchange<Request, Response>,
): () => void {
  const { request, response, go } = exchange
  switch (outcome.kind) {
    case 'skipped':
      return go
    case 'denied':
      setHeaders(response, outcome.headers)
      deny(outcome.denial, exchange)
      return NOTHING
    case 'admitted': {
      const { spent, headers } = outcome
      if (isGone(response)) {
        spent.abandon()
        return NOTHING
      }
      if (spent.isWatched) {
        noteCharge(request, spent)
        whenEnded(response, (ended) => spent.end(ended))
      }
      setHeaders(response, headers)
      return go
    }
  }
}

function deny<Request, Response extends NodeResponse>(
  denial: Denial,
  { options, request, response, go }: Exchange<Request, Response>,
): void {
  response.statusCode = denial.status
  const { onDenied } = options
  if (onDenied !== undefined) return whenAnswered(() => onDenied(denial, request, response), go)
  response.setHeader('Content-Type', PROBLEM_CONTENT_TYPE)
  response.end(JSON.stringify(denial.problem))
}
