import type { Ended } from './ended.ts'
import type { RequestSource } from './client-address.ts'
import type { Header } from './header.ts'

/** What a middleware needs of a request of Node. */
export interface NodeRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** What a middleware needs of a response of Node. */
export interface NodeResponse {
  statusCode: number
  readonly headersSent: boolean
  /** The client hung up, or all is sent. A response of HTTP/2 has not this, but a stream. */
  readonly destroyed?: boolean
  readonly stream?: Http2StreamEnd | undefined
  readonly writableFinished: boolean
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
  once(event: 'close', listener: () => void): unknown
}

/** What a stream of HTTP/2 tells of its end. */
export interface Http2StreamEnd {
  readonly destroyed: boolean
  readonly aborted: boolean
  /** 0: it ended as it should. */
  readonly rstCode?: number | undefined
}

export function sourceOfNode(request: NodeRequest): RequestSource {
  return new NodeSource(request)
}

/** Node makes the object of headers when it is first read: where no proxy is trusted, it is not. */
class NodeSource implements RequestSource {
  readonly #request: NodeRequest

  constructor(request: NodeRequest) {
    this.#request = request
  }

  get remoteAddress(): string | undefined {
    return this.#request.socket.remoteAddress
  }

  get forwardedFor(): string | undefined {
    const forwardedFor = this.#request.headers['x-forwarded-for']
    return Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor
  }
}

/** No response can reach the client any more. Before a decision: it hung up. */
export function isGone({ destroyed, stream }: NodeResponse): boolean {
  return destroyed === true || stream?.destroyed === true
}

/** Once, after all was sent, or when the client hung up before. */
export function whenEnded(response: NodeResponse, tell: (ended: Ended) => void): void {
  const { stream } = response
  response.once('close', () => {
    const { statusCode, writableFinished, headersSent } = response
    // HTTP/2 takes what was not sent for finished when the client hangs up.
    const isBroken = stream !== undefined && (stream.aborted || (stream.rstCode ?? 0) !== 0)
    const completed = writableFinished && !isBroken
    tell({ status: completed || headersSent ? statusCode : 499, completed })
  })
}

/** A list goes behind what another middleware has written. */
export function setHeaders(response: NodeResponse, headers: readonly Header[]): void {
  for (const { name, value, isList } of headers) {
    const before = isList ? response.getHeader(name) : undefined
    response.setHeader(name, before === undefined ? value : `${String(before)}, ${value}`)
  }
}
