import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { afterEach, expect, test } from 'vitest'
import { fastifyLimit } from '../../src/fastify/index.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'

const running: FastifyInstance[] = []
afterEach(async () => {
  for (const app of running.splice(0)) await app.close()
})

function engine(): {
  readonly app: FastifyInstance
  readonly clock: ReturnType<typeof manualClock>
  readonly vsa: ReturnType<typeof open>
} {
  const clock = manualClock()
  const app = fastify()
  running.push(app)
  return { app, clock, vsa: open({ store: memory(), clock }) }
}

test('it limits the instance that registers it, also routes that were there before, and what no route matches', async () => {
  const { app, clock, vsa } = engine()
  app.get('/before', async () => 'hello')
  await app.register(
    fastifyLimit(vsa, { budgets: { calls: vsa.budgets('calls', { limit: 2, per: 'minute' }) }, clock }),
  )
  await app.register(async (child) => {
    child.get('/child', async () => 'hello')
  })
  const statuses: number[] = []
  for (const url of ['/before', '/nowhere', '/child']) statuses.push((await app.inject(url)).statusCode)
  expect(statuses).toEqual([200, 404, 429])
})

test('in a child instance it limits that one alone', async () => {
  const { app, clock, vsa } = engine()
  const calls = vsa.budgets('calls', { limit: 0, per: 'minute' })
  await app.register(async (child) => {
    await child.register(fastifyLimit(vsa, { budgets: { calls }, clock }))
    child.get('/limited', async () => 'hello')
  })
  app.get('/free', async () => 'hello')
  expect([(await app.inject('/limited')).statusCode, (await app.inject('/free')).statusCode]).toEqual([429, 200])
})

test('config.limit of a route: none, or options of its own over those of the plugin', async () => {
  const { app, clock, vsa } = engine()
  const calls = vsa.budgets('calls', { limit: 10, per: 'minute' })
  await app.register(fastifyLimit(vsa, { budgets: { calls }, clock, headers: 'draft-7' }))
  app.get('/free', { config: { limit: false } }, async () => 'hello')
  app.get('/dear', { config: { limit: { cost: 6 } } }, async () => 'hello')
  app.get('/', async () => 'hello')
  expect((await app.inject('/free')).headers['ratelimit']).toBeUndefined()
  expect((await app.inject('/')).headers['ratelimit']).toBe('limit=10, remaining=9, reset=60')
  expect((await app.inject('/dear')).headers['ratelimit']).toBe('limit=10, remaining=3, reset=60')
  const denied = await app.inject('/dear')
  expect([denied.statusCode, denied.json<{ detail: string }>().detail]).toEqual([
    429,
    'The request needs 6 of "calls": exhausted.',
  ])
  expect((await calls.of('127.0.0.1').peek()).used).toBe(7)
})

test('config.limit holds for routes that were there before the plugin, and for those of a child', async () => {
  for (const isBefore of [true, false]) {
    const { app, clock, vsa } = engine()
    const calls = vsa.budgets('calls', { limit: 10, per: 'minute' })
    const free = (instance: FastifyInstance): void => {
      instance.get('/free', { config: { limit: false } }, async () => 'hello')
    }
    if (isBefore) free(app)
    await app.register(fastifyLimit(vsa, { budgets: { calls }, clock }))
    app.get('/', async () => 'hello')
    if (!isBefore) await app.register(async (child) => free(child))
    expect((await app.inject('/')).headers['ratelimit']).toContain('r=9')
    expect((await app.inject('/free')).headers['ratelimit']).toBeUndefined()
    expect((await calls.of('127.0.0.1').peek()).used).toBe(1)
  }
})

test('wrong options of a route are refused when it is registered', async () => {
  const { app, clock, vsa } = engine()
  await app.register(fastifyLimit(vsa, { budgets: { calls: vsa.budgets('calls', { limit: 1, per: 'day' }) }, clock }))
  expect(() => app.get('/', { config: { limit: { cost: -1 } } }, async () => 'hello')).toThrow('options.cost must be')
  expect(() => app.get('/', { config: { limit: JSON.parse('true') as false } }, async () => 'hello')).toThrow(
    'config.limit',
  )
})

test('hook preHandler: the cost depends on the body', async () => {
  const { app, clock, vsa } = engine()
  const tokens = vsa.budgets('tokens', { limit: 10, per: 'minute' })
  await app.register(
    fastifyLimit<FastifyRequest>(vsa, {
      budgets: { tokens },
      hook: 'preHandler',
      cost: ({ body }) => (body as { readonly size: number }).size,
      clock,
    }),
  )
  app.post('/', async () => 'hello')
  const post = async (size: number): Promise<number> =>
    (await app.inject({ method: 'POST', url: '/', payload: { size } })).statusCode
  expect([await post(7), await post(4), await post(3)]).toEqual([200, 429, 200])
})

test('onDenied answers in place of the problem', async () => {
  const { app, clock, vsa } = engine()
  await app.register(
    fastifyLimit(vsa, {
      budgets: { calls: vsa.budgets('calls', { limit: 0, per: 'minute' }) },
      onDenied: ({ budget, status }, _request, reply) => reply.send(`slow down, ${budget} ${status}`),
      clock,
    }),
  )
  app.get('/', async () => 'hello')
  const denied = await app.inject('/')
  expect([denied.statusCode, denied.body]).toEqual([429, 'slow down, calls 429'])
})

test('the engine stays open when the app closes, and is flushed if that is asked for', async () => {
  const flushed: boolean[] = []
  for (const flushOnClose of [false, true]) {
    const { app, clock, vsa } = engine()
    const calls = vsa.budgets('calls', { limit: 10, per: 'minute' })
    await app.register(fastifyLimit(vsa, { budgets: { calls }, flushOnClose, clock }))
    app.get('/', async () => 'hello')
    // The second one is admitted from the lease that the first one fetched.
    for (const _time of [1, 2]) await app.inject('/')
    const before = vsa.stats().records
    await app.close()
    flushed.push(vsa.stats().records > before)
    expect(await calls.of('127.0.0.1').admit()).toBe(true)
  }
  expect(flushed).toEqual([false, true])
})

test('onDenied may answer with what it returns, as handlers do; config.limit has no hook', async () => {
  const { app, clock, vsa } = engine()
  const calls = vsa.budgets('calls', { limit: 0, per: 'minute' })
  await app.register(fastifyLimit(vsa, { budgets: { calls }, onDenied: async () => ({ error: 'slow down' }), clock }))
  app.get('/', async () => 'hello')
  const limit: object = { hook: 'preHandler' }
  expect(() => app.get('/hook', { config: { limit } }, async () => 'hello')).toThrow('config.limit.hook')
  const denied = await app.inject('/')
  expect([denied.statusCode, denied.json()]).toEqual([429, { error: 'slow down' }])
})
