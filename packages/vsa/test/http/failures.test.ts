import { describe, expect, test } from 'vitest'
import type { LimitOptions } from '../../src/http/limit-options.ts'
import { get, limitHeaders, type Received, until } from './client.ts'
import { FRAMEWORKS } from './frameworks.ts'
import { type Fixture, fixture } from './limited-fixture.ts'

/* What cannot be decided, in every framework: the documented answer, and balanced books. */

const PER_MINUTE = { limit: 60, per: 'minute' } as const
const DEADLINE_MS = 400

/** The answer to a request while the store is away. */
async function getAway({ clock, vsa, net }: Fixture, url: string): Promise<Received> {
  net.cut('refuse')
  const received = get(url)
  await until(() => vsa.stats().waiters > 0)
  await clock.advance(DEADLINE_MS)
  const answer = await received
  net.heal()
  await clock.advance(5_000)
  return answer
}

describe.each(FRAMEWORKS)('$name', (framework) => {
  test.each(['throw', 'deny'] as const)(
    'onStoreUnavailable %s of the engine: 503, a problem, and Retry-After; the handler does not run',
    async (onStoreUnavailable) => {
      const made = fixture({ deadlineMs: DEADLINE_MS, onStoreUnavailable })
      const seats = made.vsa.budget('seats', { initial: 10 })
      await made.vsa.ready()
      const { url, errors } = await made.start(framework, () => ({ budgets: { seats } }))
      const answer = await getAway(made, url)
      expect(answer.status).toBe(503)
      expect(JSON.parse(answer.body)).toEqual({
        type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
        title: 'Capacity temporarily reduced',
        status: 503,
        detail: 'Whether the quota allows the request cannot be decided at present.',
      })
      expect(limitHeaders(answer)).toEqual({ 'retry-after': '1' })
      expect([made.handled, errors]).toEqual([[], []])
      expect(await made.used(seats)).toBe(0)
    },
  )

  test('onStoreUnavailable allow: the handler runs, without headers, and nothing is given back of what is not accounted', async () => {
    const made = fixture({ deadlineMs: DEADLINE_MS, onStoreUnavailable: 'allow' })
    const seats = made.vsa.budget('seats', { initial: 10 })
    await made.vsa.ready()
    const { url } = await made.start(framework, () => ({ budgets: { seats }, refundWhen: () => true }))
    const answer = await getAway(made, url)
    expect([answer.status, limitHeaders(answer)]).toEqual([200, {}])
    expect(made.vsa.stats()).toMatchObject({ unaccountedUnits: 1, refundedUnits: 0 })
    // O10: a late grant is given back.
    await expect.poll(() => made.used(seats)).toBe(0)
  })

  test('an engine that is closed: the error handler gets its error', async () => {
    const { vsa, start, handled } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const { url, errors } = await start(framework, () => ({ budgets: { calls } }))
    await vsa.close()
    expect((await get(url)).status).toBe(500)
    expect(errors).toMatchObject([{ code: 'closed' }])
    expect(handled).toEqual([])
  })

  const nothing: unknown = undefined
  test.each<[string, LimitOptions<object>['cost'], object]>([
    ['NaN', () => Number.NaN, { code: 'cost_invalid' }],
    ['negative', () => -1, { code: 'cost_invalid' }],
    ['a fraction', async () => 0.5, { code: 'cost_invalid' }],
    ['no number', () => JSON.parse('"7"') as number, { code: 'cost_invalid' }],
    [
      'thrown',
      () => {
        throw new Error('of cost')
      },
      { message: 'of cost' },
    ],
    [
      'rejected',
      async () => {
        throw new Error('of cost')
      },
      { message: 'of cost' },
    ],
    [
      'undefined thrown',
      () => {
        throw nothing
      },
      { message: 'a function of the options threw what is no Error' },
    ],
    [
      'undefined rejected',
      () => Promise.reject(nothing),
      { message: 'a function of the options threw what is no Error' },
    ],
  ])(
    'a cost that is %s: the error handler gets it, nothing is spent, and the handler does not run',
    async (_what, cost, error) => {
      const { vsa, start, handled, used } = fixture()
      const calls = vsa.budgets('calls', PER_MINUTE)
      const { url, errors } = await start(framework, () => ({
        budgets: { calls },
        ...(cost !== undefined && { cost }),
      }))
      expect((await get(url)).status).toBe(500)
      expect(errors).toMatchObject([error])
      expect(handled).toEqual([])
      expect(await used(calls.of('127.0.0.1'))).toBe(0)
    },
  )

  test.each([
    ['undefined', () => (JSON.parse('{}') as { readonly id: string }).id, 'key_invalid'],
    ['empty', () => '', 'key_invalid'],
    ['empty, later', async () => '', 'key_invalid'],
  ])('an id that is %s is refused, not counted for one budget of all', async (_what, by, code) => {
    const { vsa, start, handled } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const { url, errors } = await start(framework, () => ({ budgets: { calls: { from: calls, by } } }))
    expect((await get(url)).status).toBe(400)
    expect(errors).toMatchObject([{ code }])
    expect([handled, vsa.stats().budgets]).toEqual([[], 0])
  })

  test('skip that throws: the handler does not run', async () => {
    const { vsa, start, handled } = fixture()
    const { url, errors } = await start(framework, () => ({
      budgets: { calls: vsa.budgets('calls', PER_MINUTE) },
      skip: () => Promise.reject(new Error('of skip')),
    }))
    expect((await get(url)).status).toBe(500)
    expect(errors).toMatchObject([{ message: 'of skip' }])
    expect(handled).toEqual([])
  })

  test('an id from a header of 100 kB is replaced by its hash: the same one has one budget, another one another', async () => {
    const { vsa, start } = fixture()
    const calls = vsa.budgets('calls', { limit: 1, per: 'minute' })
    const { url } = await start(framework, (header) => ({
      budgets: { calls: { from: calls, by: (request) => header(request, 'x-api-key') ?? '' } },
    }))
    const long = 'k'.repeat(100_000)
    const statuses: number[] = []
    for (const key of [long, long, `${long}2`]) statuses.push((await get(url, { 'x-api-key': key })).status)
    expect(statuses).toEqual([200, 429, 200])
  })

  test('a spoofed X-Forwarded-For is not believed; that of a trusted proxy is, from the right', async () => {
    const { vsa, start, used } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7' }
    const plain = await start(framework, () => ({ budgets: { calls } }))
    await get(plain.url, forwarded)
    const proxied = await start(framework, () => ({ budgets: { calls }, trustProxy: ['127.0.0.0/8'] }))
    await get(proxied.url, forwarded)
    expect(await Promise.all(['127.0.0.1', '6.6.6.6', '203.0.113.7'].map((id) => used(calls.of(id))))).toEqual([
      1, 0, 1,
    ])
  })

  test('a trusted proxy that writes no address: 400, and nothing is spent', async () => {
    const { vsa, start, handled } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const { url, errors } = await start(framework, () => ({ budgets: { calls }, trustProxy: 1 }))
    for (const forwardedFor of ['unknown', 'x'.repeat(100_000)])
      expect((await get(url, { 'x-forwarded-for': forwardedFor })).status).toBe(400)
    expect(errors).toMatchObject([{ code: 'address_invalid' }, { code: 'address_invalid' }])
    expect([handled, vsa.stats().budgets]).toEqual([[], 0])
  })
})
