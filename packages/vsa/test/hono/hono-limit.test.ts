import { type Context, Hono } from 'hono'
import { expect, test } from 'vitest'
import { chargeOf, honoLimit } from '../../src/hono/index.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { until } from '../http/client.ts'

/* Without a socket, as on other runtimes than Node. */

function engine(): { readonly clock: ReturnType<typeof manualClock>; readonly vsa: ReturnType<typeof open> } {
  const clock = manualClock()
  return { clock, vsa: open({ store: memory(), clock }) }
}

const remoteAddress = (): string => '192.0.2.1'

test('headers are there on every response: of the handler, immutable ones, and those of errors', async () => {
  const { clock, vsa } = engine()
  const app = new Hono()
  app.use(
    honoLimit(vsa, { budgets: { calls: vsa.budgets('calls', { limit: 10, per: 'minute' }) }, clock, remoteAddress }),
  )
  app.get('/text', (c) => c.text('hello'))
  app.get('/raw', () => new Response('hello'))
  app.get('/redirect', () => Response.redirect('http://localhost/text', 302))
  app.get('/throw', () => {
    throw new Error('of the handler')
  })
  app.onError((_error, c) => c.text('failed', 500))
  const seen: unknown[] = []
  for (const path of ['/text', '/raw', '/redirect', '/throw', '/nowhere']) {
    const { status, headers } = await app.request(path)
    seen.push([status, headers.get('ratelimit')])
  }
  expect(seen).toEqual([200, 200, 302, 500, 404].map((status, at) => [status, `"calls";r=${9 - at};t=60`]))
})

test('two middlewares: both write into the list', async () => {
  const { clock, vsa } = engine()
  const app = new Hono()
  for (const name of ['all', 'search'])
    app.use(
      honoLimit(vsa, { budgets: { [name]: vsa.budgets(name, { limit: 10, per: 'minute' }) }, clock, remoteAddress }),
    )
  app.get('/', (c) => c.text('hello'))
  expect((await app.request('/')).headers.get('ratelimit')).toBe('"search";r=9;t=60, "all";r=9;t=60')
})

test('a request without an address is refused: another runtime has to say where it is', async () => {
  const { clock, vsa } = engine()
  const app = new Hono()
  app.use(honoLimit(vsa, { budgets: { calls: vsa.budgets('calls', { limit: 10, per: 'minute' }) }, clock }))
  app.get('/', (c) => c.text('hello'))
  const refused = await app.request('/')
  expect([refused.status, await refused.text()]).toEqual([500, expect.stringContaining('the request has no address')])
  expect(vsa.stats().budgets).toBe(0)
})

test('an id from the context, and onDenied', async () => {
  const { clock, vsa } = engine()
  const app = new Hono<{ Variables: { user: string } }>()
  app.use(async (c, next) => {
    c.set('user', 'ada')
    await next()
  })
  const calls = vsa.budgets('calls', { limit: 1, per: 'minute' })
  app.use(
    honoLimit<Context<{ Variables: { user: string } }>>(vsa, {
      budgets: { calls: { from: calls, by: (c) => c.get('user') } },
      onDenied: ({ budget }, c) => c.text(`slow down, ${c.get('user')}: ${budget}`, 429),
      clock,
    }),
  )
  app.get('/', (c) => c.text('hello'))
  expect((await app.request('/')).status).toBe(200)
  const denied = await app.request('/')
  expect([denied.status, await denied.text()]).toEqual([429, 'slow down, ada: calls'])
  expect(denied.headers.get('retry-after')).toBe('61')
  expect((await calls.of('ada').peek()).used).toBe(1)
})

test.each([
  ['read to its end', (response: Response): Promise<unknown> => response.text(), 4],
  ['cancelled', (response: Response) => response.body?.cancel() ?? Promise.resolve(), 4],
  ['without a body', async () => undefined, 4],
])('reserve without Node: a response %s ends the reservation', async (what, finish, used) => {
  const { clock, vsa } = engine()
  const tokens = vsa.budgets('tokens', { limit: 100, per: 'hour' })
  const app = new Hono()
  app.use(honoLimit(vsa, { budgets: { tokens }, cost: 10, reserve: {}, clock, remoteAddress }))
  app.get('/', (c) => {
    chargeOf(c).meter(4)
    return what === 'without a body' ? c.body(null, 204) : c.text('hello')
  })
  const response = await app.request('/')
  await finish(response)
  await until(() => vsa.stats().refundedUnits === 6)
  await vsa.flush()
  expect((await tokens.of('192.0.2.1').peek()).used).toBe(used)
})

test('reserve without Node: a body that breaks ends the reservation, and the reader gets the error', async () => {
  const { clock, vsa } = engine()
  const app = new Hono()
  const ended: object[] = []
  const refundWhen = (one: object): boolean => ended.push(one) > 0
  app.use(
    honoLimit(vsa, {
      budgets: { calls: vsa.budgets('calls', { limit: 9, per: 'hour' }) },
      refundWhen,
      clock,
      remoteAddress,
    }),
  )
  app.get('/', () => new Response(new ReadableStream({ pull: () => Promise.reject(new Error('of the body')) })))
  await expect((await app.request('/')).text()).rejects.toThrow('of the body')
  expect(ended).toEqual([{ status: 200, completed: false }])
})

test('a client that has hung up: before the decision nothing is spent, and the handler does not run', async () => {
  const { clock, vsa } = engine()
  const calls = vsa.budgets('calls', { limit: 9, per: 'hour' })
  const app = new Hono()
  app.use(honoLimit(vsa, { budgets: { calls }, clock, remoteAddress }))
  let handled = 0
  app.get('/', (c) => c.text(String((handled += 1))))
  expect((await app.request('/', { signal: AbortSignal.abort() })).status).toBe(499)
  await vsa.flush()
  expect([handled, (await calls.of('192.0.2.1').peek()).used]).toEqual([0, 0])
})

test('onDenied: a text has the status of the denial, and a redirect gets the headers', async () => {
  const { clock, vsa } = engine()
  const seen: unknown[] = []
  for (const text of [true, false]) {
    const app = new Hono()
    app.use(
      honoLimit<Context>(vsa, {
        budgets: { calls: vsa.budgets('calls', { limit: 0, per: 'minute' }) },
        onDenied: (_denial, c) => (text ? c.text('slow down') : Response.redirect('http://localhost/wait', 302)),
        clock,
        remoteAddress,
      }),
    )
    const { status, headers } = await app.request('/')
    seen.push([status, headers.has('ratelimit')])
  }
  expect(seen).toEqual([
    [429, true],
    [302, true],
  ])
})
