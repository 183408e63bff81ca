import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the provider does with one request. */
export type Reply =
  | {
      readonly kind: 'json'
      readonly body: object
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'stream'
      readonly events: readonly string[]
      /** The events are sent in pieces of so many bytes. Default: one piece for each event. */
      readonly pieceBytes?: number
      /** So many events, and then nothing more, until the client goes. */
      readonly hangAfter?: number
      /** So many events, and then the connection is cut. */
      readonly cutAfter?: number
    }
  | { readonly kind: 'cut' }

export interface SeenRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** The client went before the answer was complete. */
  isAbandoned: boolean
}

/** A provider on loopback, which answers as it is told. */
export interface FakeProvider {
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** The next requests are answered by these, in order; when they are used up, by the last one. */
  answer(...replies: readonly Reply[]): void
  /** Resolves when the last request has been abandoned. */
  abandoned(): Promise<void>
  close(): Promise<void>
}

export async function fakeProvider(): Promise<FakeProvider> {
  const requests: SeenRequest[] = []
  let replies: readonly Reply[] = []
  let onAbandoned: () => void = () => undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const seen: SeenRequest = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        isAbandoned: false,
      }
      requests.push(seen)
      response.on('close', () => {
        if (!response.writableFinished) seen.isAbandoned = true
        onAbandoned()
      })
      const [reply, ...rest] = replies
      if (rest.length > 0) replies = rest
      if (reply === undefined) response.destroy()
      else send(response, reply).catch(() => response.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    answer: (...next) => {
      replies = next
    },
    abandoned: () =>
      new Promise((resolve) => {
        onAbandoned = () => {
          if (requests.at(-1)?.isAbandoned === true) resolve()
        }
        onAbandoned()
      }),
    close: () => closed(server),
  }
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  switch (reply.kind) {
    case 'cut':
      response.destroy()
      return
    case 'json':
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers })
      response.end(JSON.stringify(reply.body))
      return
    case 'stream':
      return sendStream(response, reply)
  }
}

async function sendStream(response: ServerResponse, reply: Extract<Reply, { kind: 'stream' }>): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-request-id': 'req_1' })
  const sent = reply.events.slice(0, reply.hangAfter ?? reply.cutAfter ?? reply.events.length)
  for (const piece of piecesOf(sent, reply.pieceBytes)) {
    if (response.destroyed) return
    response.write(piece)
    // So that each is a piece of its own on the wire.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  if (reply.hangAfter !== undefined) return
  if (reply.cutAfter === undefined) response.end()
  else response.socket?.destroy()
}

/** The pieces, each when it is read. */
export function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream(
    {
      pull: (controller) => {
        const piece = pieces[at]
        at += 1
        if (piece === undefined) controller.close()
        else controller.enqueue(piece)
      },
    },
    { highWaterMark: 0 },
  )
}

export function piecesOf(events: readonly string[], pieceBytes: number | undefined): readonly Buffer[] {
  if (pieceBytes === undefined) return events.map((event) => Buffer.from(event))
  const bytes = Buffer.from(events.join(''))
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes))
  return pieces
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
