import { describe, expect, test } from 'vitest'
import { ask, get, limitHeaders, until } from './client.ts'
import { open } from '../../src/index.ts'
import { faultyStore } from '../../src/testing/index.ts'
import { FRAMEWORKS } from './frameworks.ts'
import { fixture } from './limited-fixture.ts'

/* `reserve`: the cost is known after the response, and a reservation has an end whatever happens. */

const PER_MINUTE = { limit: 60, per: 'minute' } as const

describe.each(FRAMEWORKS)('$name', (framework) => {
  test('what was metered stays spent; where nothing was, all that was reserved does', async () => {
    const { vsa, start, used } = fixture()
    const tokens = vsa.budgets('tokens', PER_MINUTE)
    const { url } = await start(framework, () => ({ budgets: { tokens }, cost: 10, reserve: {} }))
    const metered = await get(`${url}/meter`)
    expect(limitHeaders(metered)).toMatchObject({ ratelimit: '"tokens";r=50;t=30' })
    await until(() => vsa.stats().refundedUnits === 7)
    await get(`${url}/ok`)
    expect(await used(tokens.of('127.0.0.1'))).toBe(3 + 10)
  })

  test('what is not there is denied, with what is left and when to come again', async () => {
    const { vsa, start, used, handled } = fixture()
    const tokens = vsa.budgets('tokens', { limit: 12, per: 'minute' })
    const { url } = await start(framework, () => ({ budgets: { tokens }, cost: 10, reserve: {} }))
    await get(`${url}/ok`)
    const denied = await get(`${url}/ok`)
    expect(denied.status).toBe(429)
    expect(JSON.parse(denied.body)).toMatchObject({ detail: 'The request needs 10 of "tokens": exhausted.' })
    expect(limitHeaders(denied)).toMatchObject({ ratelimit: '"tokens";r=2;t=30', 'retry-after': '31' })
    expect(handled).toHaveLength(1)
    expect(await used(tokens.of('127.0.0.1'))).toBe(10)
  })

  test.each(['in memory', 'with an id'])('%s: what a request under way has set aside comes back soon', async (form) => {
    const { vsa, start, used } = fixture()
    const tokens = vsa.budgets('tokens', { limit: 12, per: 'minute' })
    let ids = 0
    const reserve = form === 'in memory' ? {} : { id: () => `r-${(ids += 1)}` }
    const { url } = await start(framework, () => ({ budgets: { tokens }, cost: 10, reserve }))
    const streamed = ask(`${url}/meter-stream`)
    await streamed.begun
    const denied = await get(`${url}/ok`)
    expect(JSON.parse(denied.body)).toMatchObject({ detail: 'The request needs 10 of "tokens": reserved.' })
    expect(limitHeaders(denied)).toMatchObject({ ratelimit: '"tokens";r=2;t=1', 'retry-after': '1' })
    streamed.request.destroy()
    await until(() => vsa.stats().refundedUnits === 7 || form === 'with an id')
    await vsa.flush()
    const isBack = async (): Promise<boolean> => (await tokens.of('127.0.0.1').peek()).reserved === 0
    while (!(await isBack())) await new Promise((resolve) => setImmediate(resolve))
    // Nothing is under way now, and the rest of the period must be waited for.
    const exhausted = await get(`${url}/ok`)
    expect(JSON.parse(exhausted.body)).toMatchObject({ detail: 'The request needs 10 of "tokens": exhausted.' })
    expect(await used(tokens.of('127.0.0.1'))).toBe(3)
  })

  test.each(['in memory', 'with an id'])(
    '%s: what another process holds is reserved, and comes back soon',
    async (form) => {
      const { clock, net, vsa, start, used, handled } = fixture({ deadlineMs: 1_000 })
      const otherNet = faultyStore(net, { clock })
      const other = open({ store: otherNet, clock, onEvent: () => undefined })
      const leased = { limit: 12, per: 'minute', atRisk: 12 } as const
      await vsa.ready()
      other.budgets('tokens', leased).of('127.0.0.1').tryAdmit(12)
      await clock.settle()
      otherNet.cut('hang')
      const tokens = vsa.budgets('tokens', leased)
      const reserve = form === 'in memory' ? {} : { id: () => 'r-1' }
      const { url } = await start(framework, () => ({ budgets: { tokens }, cost: 11, reserve }))
      const asked = get(`${url}/ok`)
      await until(() => vsa.stats().waiters > 0)
      await clock.advance(1_100)
      const denied = await asked
      expect(denied.status).toBe(429)
      expect(JSON.parse(denied.body)).toMatchObject({ detail: 'The request needs 11 of "tokens": reserved.' })
      expect(limitHeaders(denied)).toMatchObject({ ratelimit: '"tokens";r=12;t=1', 'retry-after': '1' })
      expect(handled).toEqual([])
      otherNet.heal()
      const closing = other.close()
      await clock.advance(5_000)
      await closing
      expect(await used(tokens.of('127.0.0.1'))).toBe(0)
    },
  )

  test('of several budgets, the one that refused is named, though nothing is kept of it between requests', async () => {
    const { vsa, start, used } = fixture({ budgetsMax: 1 })
    const [requests, tokens] = [vsa.budget('requests', { initial: 100 }), vsa.budget('tokens', { initial: 12 })]
    await tokens.admit(5)
    const { url } = await start(framework, () => ({ budgets: { requests, tokens }, cost: 10, reserve: {} }))
    const denied = await get(`${url}/ok`)
    expect(denied.status).toBe(429)
    expect(JSON.parse(denied.body)).toMatchObject({ 'violated-policies': ['tokens'] })
    expect(limitHeaders(denied)).toMatchObject({ ratelimit: '"tokens";r=7' })
    expect(limitHeaders(denied)['retry-after']).toBeUndefined()
    expect([await used(requests), await used(tokens)]).toEqual([0, 5])
  })

  test('a handler that throws: with refundWhen all of it goes back', async () => {
    const { vsa, start, used } = fixture()
    const tokens = vsa.budgets('tokens', PER_MINUTE)
    const { url } = await start(framework, () => ({
      budgets: { tokens },
      cost: 10,
      reserve: {},
      refundWhen: ({ status }) => status >= 500,
    }))
    expect((await get(`${url}/throw`)).status).toBe(500)
    await until(() => vsa.stats().refundedUnits === 10)
    expect(await used(tokens.of('127.0.0.1'))).toBe(0)
  })

  test('a client that hangs up in mid-stream pays what was metered', async () => {
    const { vsa, start, used } = fixture()
    const tokens = vsa.budgets('tokens', PER_MINUTE)
    const { url } = await start(framework, () => ({ budgets: { tokens }, cost: 10, reserve: {} }))
    const asked = ask(`${url}/meter-stream`)
    expect(await asked.begun).toBe('begun')
    asked.request.destroy()
    await until(() => vsa.stats().refundedUnits === 7)
    expect(await used(tokens.of('127.0.0.1'))).toBe(3)
  })

  test('a stream that never ends: the reservation does, after its ttlMs, and meter is false from then on', async () => {
    const { clock, vsa, start, used } = fixture()
    const tokens = vsa.budgets('tokens', { limit: 60, per: 'hour' })
    const meters: (() => boolean)[] = []
    const { url } = await start(
      framework,
      () => ({ budgets: { tokens }, cost: 10, reserve: { ttlMs: 20_000 } }),
      async ({ charge }) => {
        const taken = charge()
        taken.meter(4)
        meters.push(() => taken.meter())
        return { stream: 'begun' }
      },
    )
    const asked = ask(url)
    await asked.begun
    await clock.advance(19_999)
    expect([vsa.stats().refundedUnits, meters[0]?.()]).toEqual([0, true])
    await clock.advance(1)
    expect([vsa.stats().refundedUnits, meters[0]?.()]).toEqual([5, false])
    expect(await used(tokens.of('127.0.0.1'))).toBe(5)
    asked.request.destroy()
  })

  test('several budgets: each is metered by its name', async () => {
    const { vsa, start, used } = fixture()
    const [requests, tokens] = [vsa.budgets('requests', PER_MINUTE), vsa.budgets('tokens', PER_MINUTE)]
    const { url, errors } = await start(
      framework,
      () => ({ budgets: { requests, tokens: { from: tokens, cost: 10 } }, reserve: {} }),
      async ({ path, charge }) => {
        if (path === '/wrong') charge().meter(1, 'token')
        return { status: 200, body: String(charge().meter(4, 'tokens')) }
      },
    )
    expect((await get(url)).body).toBe('true')
    await until(() => vsa.stats().refundedUnits === 6)
    expect([await used(requests.of('127.0.0.1')), await used(tokens.of('127.0.0.1'))]).toEqual([1, 4])
    expect((await get(`${url}/wrong`)).status).toBe(500)
    expect(errors).toEqual([new TypeError('name must be one of requests, tokens')])
  })

  test('with an id the store keeps it: once it has ended, the same id gets 409 and costs nothing', async () => {
    const { vsa, start, used, handled } = fixture()
    const tokens = vsa.budget('tokens', { initial: 60 })
    const { url } = await start(framework, (header) => ({
      budgets: { tokens },
      cost: 10,
      reserve: { ttlMs: 20_000, id: (request) => header(request, 'x-request-id') },
    }))
    const statuses: number[] = []
    for (const _time of [1, 2]) {
      statuses.push((await get(`${url}/meter`, { 'x-request-id': 'r-1' })).status)
      expect(await used(tokens)).toBe(3)
    }
    expect([statuses, handled]).toEqual([[200, 409], ['/meter']])
    expect(await tokens.reservation('r-1').settle(9)).toEqual({ settled: 3, uncovered: 0, repeated: true })
  })

  test('chargeOf without reserve is an error', async () => {
    const { vsa, start } = fixture()
    const { url, errors } = await start(framework, () => ({ budgets: { tokens: vsa.budgets('tokens', PER_MINUTE) } }))
    expect((await get(`${url}/meter`)).status).toBe(500)
    expect(String(errors[0])).toContain('nothing is reserved for this request')
  })
})
