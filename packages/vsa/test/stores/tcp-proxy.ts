import { connect, createServer, type Socket } from 'node:net'

/** What the proxy does with the next message that contains `match`, once. */
export interface ProxyFault {
  readonly match: string
  /**
   * `cut-before`: half of the message arrives. `cut-after`: all of it is done, and the answer is lost. `hold`: all of it is done, and no answer comes
   * through the connection any more.
   */
  readonly do: 'cut-before' | 'cut-after' | 'hold'
}

export interface Proxy {
  readonly url: string
  arm(fault: ProxyFault): void
  close(): Promise<void>
}

/** A TCP proxy in front of a server. It knows no protocol: a client has one message in flight on a connection. */
export async function proxyTo(url: string): Promise<Proxy> {
  const target = new URL(url)
  const sockets = new Set<Socket>()
  let armed: ProxyFault | undefined
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    let answers: 'pass' | 'cut-after' | 'hold' = 'pass'
    const cut = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', cut)
      socket.on('close', cut)
    }
    client.on('data', (chunk) => {
      const fault = armed !== undefined && chunk.includes(armed.match) ? armed : undefined
      if (fault === undefined) return void upstream.write(chunk)
      armed = undefined
      if (fault.do === 'cut-before') return void upstream.write(chunk.subarray(0, chunk.length / 2), cut)
      answers = fault.do
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (answers === 'cut-after') cut()
      else if (answers === 'pass') client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port')
  const own = new URL(url)
  own.host = `127.0.0.1:${address.port}`
  return {
    url: own.href,
    arm: (fault) => void (armed = fault),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
