import { once } from 'node:events'
import {
  connect,
  createServer,
  type ClientHttp2Stream,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { type ExpressLimitOptions, expressLimit } from '../../src/express/index.ts'
import { until } from './client.ts'
import { fixture } from './limited-fixture.ts'
import { urlOf } from './limited-app.ts'

/* A response of HTTP/2 tells in another way that its client hung up. */

type Options = ExpressLimitOptions<Http2ServerRequest, Http2ServerResponse>

/** @returns one request to a limited server */
async function asked(
  options: Options,
  handle: (response: Http2ServerResponse) => void,
  { vsa }: Pick<ReturnType<typeof fixture>, 'vsa'>,
): Promise<ClientHttp2Stream> {
  const limit = expressLimit(vsa, options)
  const server = createServer((request, response) => limit(request, response, () => handle(response)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(urlOf(server))
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => undefined)
  stream.resume()
  return stream
}

test('HTTP/2: a client that hangs up before the decision has its units back, and no handler runs', async () => {
  const world = fixture()
  const calls = world.vsa.budget('calls', { initial: 60 })
  let decide: (cost: number) => void = () => undefined
  const cost = async (): Promise<number> => new Promise((resolve) => (decide = resolve))
  let handled = 0
  let isAsked = false
  const skip = (): boolean => {
    isAsked = true
    return false
  }
  const stream = await asked({ budgets: { calls }, cost, skip }, () => (handled += 1), world)
  await until(() => isAsked)
  stream.close(8)
  await once(stream, 'close')
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  decide(3)
  await until(() => world.vsa.stats().refundedUnits === 3)
  expect([handled, await world.used(calls)]).toEqual([0, 0])
})

test.each([
  ['hangs up in mid-stream', true, { status: 200, completed: false }],
  ['reads all', false, { status: 200, completed: true }],
])('HTTP/2: refundWhen of a client that %s', async (_text, hangsUp, ended) => {
  const world = fixture()
  const calls = world.vsa.budget('calls', { initial: 60 })
  const told: unknown[] = []
  const refundWhen: Options['refundWhen'] = (how) => {
    told.push(how)
    return !how.completed
  }
  const handle = (response: Http2ServerResponse): void => {
    response.write('begun')
    if (!hangsUp) response.end()
  }
  const stream = await asked({ budgets: { calls }, refundWhen }, handle, world)
  await once(stream, 'response')
  if (hangsUp) stream.close(8)
  await until(() => told.length > 0)
  expect(told).toEqual([ended])
  expect(await world.used(calls)).toBe(hangsUp ? 0 : 1)
})
