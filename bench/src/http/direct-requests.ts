import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/** Requests of one pass of the event loop. */
const AT_ONCE = 16
const HEADERS = ['Host', '127.0.0.1:8080', 'Connection', 'keep-alive']

/** The other end takes all that is written, at once. */
class NullSocket extends Duplex {
  readonly remoteAddress: string = '127.0.0.1'

  override _read(): void {
    // Nothing comes.
  }

  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done()
  }

  override _writev(_chunks: unknown, done: () => void): void {
    done()
  }
}

/** Requests and responses use no more of a socket than this. */
function nullSocket(): Socket {
  return new NullSocket() as Duplex as Socket
}

/**
 * Hands so many requests to the listener, with requests and responses of Node and no connection: what the network and the client take, which is most of a
 * request and the least steady part, is left out.
 */
export async function directRequests(listener: RequestListener, count: number): Promise<void> {
  const idle: Socket[] = []
  let finished = 0
  const ask = (): void => {
    const socket = idle.pop() ?? nullSocket()
    const request = new IncomingMessage(socket)
    Object.assign(request, { method: 'GET', url: '/', httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 })
    request.rawHeaders = HEADERS
    request.complete = true
    request.push(null)
    const response = new ServerResponse(request)
    response.assignSocket(socket)
    response.on('finish', () => {
      response.detachSocket(socket)
      idle.push(socket)
      finished += 1
    })
    listener(request, response)
  }
  for (let asked = 0; asked < count; asked += 1) {
    ask()
    if (asked % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  while (finished < count) await new Promise((resolve) => setImmediate(resolve))
}
