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
  /** The client hung up, or all is sent. */
  readonly destroyed: boolean
  readonly writableFinished: boolean
  getHeader(name: string): number | string | readonly string[] | undefined
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
  once(event: 'close', listener: () => void): unknown
}

export function sourceOfNode({ headers, socket }: NodeRequest): RequestSource {
  const forwardedFor = headers['x-forwarded-for']
  return {
    remoteAddress: socket.remoteAddress,
    forwardedFor: Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor,
  }
}

/** Once, after all was sent, or when the client hung up before. */
export function whenEnded(response: NodeResponse, tell: (ended: Ended) => void): void {
  response.once('close', () => {
    const { statusCode, writableFinished, headersSent } = response
    tell({ status: writableFinished || headersSent ? statusCode : 499, completed: writableFinished })
  })
}

/** A list goes behind what another middleware has written. */
export function setHeaders(response: NodeResponse, headers: readonly Header[]): void {
  for (const { name, value, isList } of headers) {
    const before = isList ? response.getHeader(name) : undefined
    response.setHeader(name, before === undefined ? value : `${String(before)}, ${value}`)
  }
}
