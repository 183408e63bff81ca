import { expect, test } from 'vitest'
import { WantedUnits } from '../../src/http/wanted-units.ts'
import { RequestError } from '../../src/http/request-error.ts'
import { ask, get, until } from './client.ts'
import { FRAMEWORKS } from './frameworks.ts'
import { fixture } from './limited-fixture.ts'

/* Ids of reservations that a client may choose, and functions that fail. In one framework: the part that all share is tested. */

const [framework] = FRAMEWORKS
if (framework === undefined) throw new Error('there is a framework')

test('reserve.id of a reservation that has ended: 409, and the handler does not run again', async () => {
  const { vsa, start, used, handled } = fixture()
  const tokens = vsa.budget('tokens', { initial: 60 })
  const { url, errors } = await start(framework, (header) => ({
    budgets: { tokens },
    cost: 10,
    reserve: { id: (request) => header(request, 'x-request-id') },
  }))
  expect((await get(`${url}/meter`, { 'x-request-id': 'r-1' })).status).toBe(200)
  expect(await used(tokens)).toBe(3)
  expect((await get(`${url}/meter`, { 'x-request-id': 'r-1' })).status).toBe(409)
  expect(errors).toMatchObject([{ code: 'id_used' }])
  expect([handled.length, await used(tokens)]).toEqual([1, 3])
})

test('two requests at once under one reserve.id: both are charged for what they metered', async () => {
  const { vsa, start, used, handled } = fixture()
  const tokens = vsa.budget('tokens', { initial: 60 })
  const releases: (() => void)[] = []
  const { url } = await start(
    framework,
    () => ({ budgets: { tokens }, cost: 10, reserve: { id: () => 'r-1' } }),
    async ({ charge }) => {
      charge().meter(3)
      await new Promise<void>((release) => releases.push(release))
      return { status: 200, body: 'hello' }
    },
  )
  const answers = [get(url), get(url)]
  await until(() => releases.length === 2)
  for (const release of releases) release()
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
  await until(() => vsa.stats().waiters === 0)
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect([handled.length, await used(tokens)]).toEqual([2, 6])
})

test('reserve.id: none is 400, a long one is hashed, one of another cost is 422, and needs of 0 units are left out', async () => {
  const { vsa, start } = fixture()
  const [tokens, calls] = [vsa.budget('tokens', { initial: 60 }), vsa.budget('calls', { initial: 60 })]
  let cost = 10
  const { url, errors } = await start(
    framework,
    (header) => ({
      budgets: { tokens: { from: tokens, cost: () => cost }, calls: { from: calls, cost: 0 } },
      reserve: { id: (request) => header(request, 'x-request-id') },
    }),
    async ({ charge }) => {
      return { status: 200, body: String(charge().meter(1, 'tokens')) }
    },
  )
  expect((await get(url)).status).toBe(400)
  expect((await get(url, { 'x-request-id': 'r'.repeat(300) })).status).toBe(200)
  cost = 5
  expect((await get(url, { 'x-request-id': 'r'.repeat(300) })).status).toBe(422)
  expect(errors).toMatchObject([{ code: 'id_invalid' }, { code: 'id_conflict' }])
})

test('an async cost that rejects, where another function throws at once: no rejection is unhandled', async () => {
  const { vsa } = fixture()
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  const failing = async (): Promise<number> => {
    throw new Error('of cost')
  }
  const fails = (): never => {
    throw new RequestError('address_missing', 'none')
  }
  const budget = vsa.budget('tokens', { initial: 60 })
  const wants = [
    new WantedUnits<object>({ budgets: { calls: vsa.budgets('calls', { limit: 1, per: 'day' }) }, cost: failing }),
    new WantedUnits<object>({ budgets: { one: { from: budget, cost: failing }, two: { from: budget, cost: fails } } }),
  ]
  for (const wanted of wants) expect(() => wanted.of({}, fails)).toThrow('none')
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

test('an async refundWhen is waited for; one that rejects gives nothing back', async () => {
  const { vsa, start, used } = fixture()
  const [plain, reserved] = [vsa.budget('plain', { initial: 60 }), vsa.budget('reserved', { initial: 60 })]
  const refundWhen = async (): Promise<boolean> => true
  for (const options of [
    { budgets: { plain }, refundWhen },
    { budgets: { reserved }, reserve: {}, refundWhen },
  ]) {
    const { url } = await start(framework, () => options)
    await get(url)
  }
  await until(() => vsa.stats().refundedUnits === 2)
  expect([await used(plain), await used(reserved)]).toEqual([0, 0])
  let isAsked = false
  const rejecting = async (): Promise<boolean> => {
    isAsked = true
    throw new Error('from a test')
  }
  const { url } = await start(framework, () => ({ budgets: { plain }, refundWhen: rejecting }))
  await get(url)
  await until(() => isAsked)
  expect([await used(plain), vsa.stats().refundedUnits]).toEqual([1, 2])
})

test('with an id, what was metered is settled before ttlMs, and meter is false from then on', async () => {
  const { clock, vsa, start, used } = fixture()
  const tokens = vsa.budget('tokens', { initial: 60 })
  const meters: (() => boolean)[] = []
  const { url } = await start(
    framework,
    () => ({ budgets: { tokens }, cost: 10, reserve: { ttlMs: 20_000, id: () => 'r-1' } }),
    async ({ charge }) => {
      const taken = charge()
      taken.meter(4)
      meters.push(() => taken.meter(0))
      return { stream: 'begun' }
    },
  )
  const asked = ask(url)
  await asked.begun
  await clock.advance(17_999)
  expect(meters[0]?.()).toBe(true)
  await clock.advance(1)
  expect([meters[0]?.(), await used(tokens)]).toEqual([false, 4])
  asked.request.destroy()
})

test('a refundWhen that never answers does not keep the units: what was metered is settled at ttlMs', async () => {
  const { clock, vsa, start, used } = fixture()
  const tokens = vsa.budget('tokens', { initial: 60 })
  let isAsked = false
  const refundWhen = async (): Promise<boolean> => {
    isAsked = true
    return new Promise<boolean>(() => undefined)
  }
  const { url } = await start(
    framework,
    () => ({ budgets: { tokens }, cost: 10, reserve: { ttlMs: 20_000 }, refundWhen }),
    async ({ charge }) => {
      charge().meter(4)
      return { status: 200, body: 'ok' }
    },
  )
  await get(url)
  await until(() => isAsked)
  expect(await used(tokens)).toBe(10)
  await clock.advance(20_000)
  expect(await used(tokens)).toBe(4)
})

test('a store that is away when the response ends is asked again, until it has settled what was metered', async () => {
  const { clock, net, vsa, start, used } = fixture({ deadlineMs: 100 })
  const tokens = vsa.budget('tokens', { initial: 60 })
  const others: Promise<unknown>[] = []
  const { url } = await start(
    framework,
    () => ({ budgets: { tokens }, cost: 10, reserve: { id: () => 'r-1' } }),
    async ({ charge }) => {
      charge().meter(4)
      net.cut('hang')
      // The settlement waits behind the exchange of another call, and its deadline passes before it is sent.
      others.push(vsa.budget('other', { initial: 1 }).admit().catch(String))
      await clock.settle()
      return { status: 200, body: 'ok' }
    },
  )
  await get(url)
  await until(() => vsa.stats().waiters === 2)
  await clock.advance(200)
  expect([others.length, vsa.stats().waiters]).toEqual([1, 0])
  net.heal()
  await clock.advance(6_000)
  expect(await used(tokens)).toBe(4)
  expect(await tokens.peek()).toMatchObject({ reserved: 0 })
})
