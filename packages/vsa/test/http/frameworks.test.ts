import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { HeadersMode } from '../../src/http/header-modes.ts'
import { ask, get, limitHeaders, until } from './client.ts'
import { FRAMEWORKS } from './frameworks.ts'
import { fixture } from './limited-fixture.ts'

/* Every framework, on a real socket, with the same tests. The clock stands still at 30 s before the end of a minute. */

const PER_MINUTE = { limit: 60, per: 'minute' } as const

describe.each(FRAMEWORKS)('$name', (framework) => {
  test('L1: of 100 requests at once it admits exactly 60', async () => {
    const { vsa, start, used, handled } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const { url } = await start(framework, () => ({ budgets: { calls } }))
    const answers = await Promise.all(Array.from({ length: 100 }, () => get(url)))
    const count = (status: number): number => answers.filter((answer) => answer.status === status).length
    expect([count(200), count(429), handled.length]).toEqual([60, 40, 60])
    expect(await used(calls.of('127.0.0.1'))).toBe(60)
  })

  test('a denied request gets 429, a problem that names the budget, and when to come again', async () => {
    const { vsa, start, handled } = fixture()
    const calls = vsa.budgets('calls', { limit: 1, per: 'minute' })
    const { url } = await start(framework, () => ({ budgets: { calls } }))
    await get(url)
    const denied = await get(url)
    expect(denied.status).toBe(429)
    expect(new Headers(denied.headers).get('content-type')).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(denied.body)).toEqual({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Quota exceeded',
      status: 429,
      detail: 'The request needs 1 of "calls": exhausted.',
      'violated-policies': ['calls'],
    })
    expect(limitHeaders(denied)).toMatchObject({ ratelimit: '"calls";r=0;t=30', 'retry-after': '31' })
    expect(handled).toHaveLength(1)
  })

  const PK = Buffer.from('12ca17b49af2').toString('base64') // Of 127.0.0.1, as express-rate-limit writes it.
  test.each<[HeadersMode, object]>([
    ['draft-11', { ratelimit: '"calls";r=59;t=30', 'ratelimit-policy': `"calls";q=60;w=60;pk=:${PK}:` }],
    ['draft-8', { ratelimit: '"calls"; r=59; t=30', 'ratelimit-policy': `"calls"; q=60; w=60; pk=:${PK}:` }],
    ['draft-7', { 'ratelimit-policy': '60;w=60', ratelimit: 'limit=60, remaining=59, reset=30' }],
    [
      'draft-6',
      { 'ratelimit-policy': '60;w=60', 'ratelimit-limit': '60', 'ratelimit-remaining': '59', 'ratelimit-reset': '30' },
    ],
    ['legacy', { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '59', 'x-ratelimit-reset': '1735689660' }],
    [false, {}],
  ])('headers %s', async (headers, expected) => {
    const { vsa, start } = fixture()
    const { url } = await start(framework, () => ({ budgets: { calls: vsa.budgets('calls', PER_MINUTE) }, headers }))
    expect(limitHeaders(await get(url))).toEqual(expected)
  })

  test('remaining goes down by one for each request, also where it is admitted within the turn', async () => {
    const { vsa, start } = fixture()
    const calls = vsa.budgets('calls', { limit: 1_000, per: 'minute', atRisk: 500 })
    const { url } = await start(framework, () => ({ budgets: { calls }, headers: 'draft-7' }))
    const remaining: (string | undefined)[] = []
    for (let call = 0; call < 20; call += 1) remaining.push(limitHeaders(await get(url))['ratelimit'])
    expect(remaining).toEqual(Array.from({ length: 20 }, (_, call) => `limit=1000, remaining=${999 - call}, reset=30`))
  })

  test('L6: of several budgets, the one that refuses is named, and nothing is charged to the others', async () => {
    const { vsa, start, used } = fixture()
    const [minute, day] = [vsa.budgets('minute', PER_MINUTE), vsa.budgets('day', { limit: 1, per: 'day' })]
    const { url } = await start(framework, () => ({ budgets: { 'per minute': minute, 'per day': day } }))
    const admitted = await get(url)
    expect(limitHeaders(admitted)['ratelimit']).toBe('"per minute";r=59;t=30, "per day";r=0;t=86370')
    const denied = await get(url)
    expect(JSON.parse(denied.body)).toMatchObject({ 'violated-policies': ['per day'] })
    expect(limitHeaders(denied)).toMatchObject({ ratelimit: '"per day";r=0;t=86370', 'retry-after': '86371' })
    expect([await used(minute.of('127.0.0.1')), await used(day.of('127.0.0.1'))]).toEqual([1, 1])
  })

  test('refundWhen: what failed goes back, also where the handler threw; what did not stays spent', async () => {
    const { vsa, start, used, handled } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const ended: object[] = []
    const { url } = await start(framework, () => ({
      budgets: { calls },
      refundWhen: (one) => {
        ended.push(one)
        return one.status >= 500
      },
    }))
    for (const path of ['/ok', '/fail', '/throw', '/ok']) await get(url + path)
    await until(() => ended.length === 4)
    expect(ended).toEqual([200, 500, 500, 200].map((status) => ({ status, completed: true })))
    expect(handled).toHaveLength(4)
    expect(await used(calls.of('127.0.0.1'))).toBe(2)
  })

  test('refundWhen may answer with a promise of any library; only true gives back', async () => {
    const { vsa, start, used } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    // Of another realm, and so no `Promise` of this one.
    const answers = ['false', 'true', '1'].map(
      (code) => runInNewContext(`Promise.resolve(${code})`) as Promise<boolean>,
    )
    let left = answers.length
    const refundWhen = (): Promise<boolean> => {
      left -= 1
      return answers[left] ?? Promise.resolve(false)
    }
    const { url } = await start(framework, () => ({ budgets: { calls }, refundWhen }))
    for (let at = 0; at < 3; at += 1) await get(url)
    await until(() => left === 0)
    expect(await used(calls.of('127.0.0.1'))).toBe(2)
  })

  test('refundWhen that throws gives nothing back, and is printed', async () => {
    const { vsa, start, used } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const printed: unknown[] = []
    const { error } = console
    console.error = (...values: unknown[]) => void printed.push(values.at(-1))
    try {
      const refundWhen = (): boolean => {
        throw new Error('of refundWhen')
      }
      const { url } = await start(framework, () => ({ budgets: { calls }, refundWhen }))
      expect((await get(url)).status).toBe(200)
      await until(() => printed.length > 0)
    } finally {
      console.error = error
    }
    expect(printed).toEqual([new Error('of refundWhen')])
    expect(await used(calls.of('127.0.0.1'))).toBe(1)
  })

  test('a client that hangs up before the decision has its units back, and its handler does not run', async () => {
    const { clock, vsa, net, start, used, handled } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const { url } = await start(framework, () => ({ budgets: { calls } }))
    await vsa.ready()
    net.inject('exchange', { kind: 'delay', requestMs: 50, answerMs: 0 })
    const asked = ask(url)
    await until(() => vsa.stats().waiters > 0)
    asked.request.destroy()
    // The next request shows that the server has read what came before on the other socket.
    const next = ask(url)
    await until(() => vsa.stats().waiters > 1)
    await clock.advance(50)
    await next.received
    expect(handled).toHaveLength(1)
    expect(await used(calls.of('127.0.0.1'))).toBe(1)
  })

  test('a client that hangs up after the decision pays, unless refundWhen says otherwise', async () => {
    const { vsa, start, used } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const ended: object[] = []
    const { url } = await start(framework, () => ({
      budgets: { calls },
      refundWhen: (one) => {
        ended.push(one)
        return !one.completed && ended.length > 1
      },
    }))
    for (const count of [1, 2]) {
      const asked = ask(`${url}/stream`)
      expect(await asked.begun).toBe('begun')
      asked.request.destroy()
      await until(() => ended.length === count)
    }
    expect(ended).toEqual([
      { status: 200, completed: false },
      { status: 200, completed: false },
    ])
    expect(await used(calls.of('127.0.0.1'))).toBe(1)
  })

  test('skip: no units, no headers', async () => {
    const { vsa, start, used } = fixture()
    const calls = vsa.budgets('calls', PER_MINUTE)
    const { url } = await start(framework, (header) => ({
      budgets: { calls },
      skip: async (request) => header(request, 'x-health') === 'yes',
    }))
    expect(limitHeaders(await get(url, { 'x-health': 'yes' }))).toEqual({})
    expect(limitHeaders(await get(url))).toMatchObject({ ratelimit: '"calls";r=59;t=30' })
    expect(await used(calls.of('127.0.0.1'))).toBe(1)
  })
})
