import { describe, expect, test } from 'vitest'
import { bench, codeOf } from './fixture.ts'

/** Many equal calls that are made in one turn, and what their callers hear. */
function crowd(count: number, ask: () => Promise<boolean>) {
  const heard: { readonly caller: number; readonly verdict: unknown }[] = []
  const calls = Array.from({ length: count }, (_, caller) =>
    ask().then(
      (admitted) => heard.push({ caller, verdict: admitted }),
      (error: unknown) => heard.push({ caller, verdict: codeOf(error) }),
    ),
  )
  return { heard, all: Promise.all(calls) }
}

const inOrder = (count: number): readonly number[] => Array.from({ length: count }, (_, caller) => caller)

describe('equal durable requests of one turn', () => {
  test('O9: the first ones get what is left, in the order of asking, and the others are denied', async () => {
    const { owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 700 })
    const { heard, all } = crowd(2_000, () => seats.admit())
    await all
    const admitted = heard.filter(({ verdict }) => verdict === true)
    expect(admitted.map(({ caller }) => caller)).toEqual(inOrder(700))
    expect(heard.filter(({ verdict }) => verdict === false)).toHaveLength(1_300)
    expect((await row('seats')).used).toBe(700)
    expect(one.vsa.stats()).toMatchObject({
      ...{ admittedUnits: 700, deniedUnits: 1_300, operations: 2_000 },
      ...{ waiters: 0 },
    })
  })

  test('requests of another cost keep their place among them', async () => {
    const { owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await seats.admit()
    const small = Array.from({ length: 498 }, () => seats.admit())
    const large = seats.admit(500)
    const late = Array.from({ length: 10 }, () => seats.admit())
    expect(await Promise.all(small)).toEqual(small.map(() => true))
    expect(await large).toBe(true)
    expect(await Promise.all(late)).toEqual(late.map((_, caller) => caller === 0))
    expect((await row('seats')).used).toBe(1_000)
  })

  test('O10: all time out together, and what is granted afterwards is given back', async () => {
    const { clock, owner, row } = bench()
    const one = owner({ deadlineMs: 500 })
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await seats.admit()
    one.net.cut('hang')
    const { heard, all } = crowd(600, () => seats.admit())
    await clock.advance(600)
    await all
    expect(heard).toEqual(inOrder(600).map((caller) => ({ caller, verdict: 'timeout' })))
    expect(one.vsa.stats().waiters).toBe(0)
    one.net.heal()
    await clock.advance(5_000)
    await one.vsa.flush()
    expect((await row('seats')).used).toBe(1)
    expect(await seats.admit(999)).toBe(true)
  })

  test('an abort ends one call alone', async () => {
    const { owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await seats.admit()
    const stop = new AbortController()
    const { heard, all } = crowd(20, () => seats.admit())
    const aborted = seats.admit(1, { signal: stop.signal })
    const more = crowd(20, () => seats.admit())
    stop.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    await Promise.all([all, more.all])
    expect([...heard, ...more.heard].every(({ verdict }) => verdict === true)).toBe(true)
    await one.vsa.flush()
    expect((await row('seats')).used).toBe(41)
  })

  test('L5 O12: those that another owner holds the units for wait for them, and the rest is admitted at once', async () => {
    const { clock, owner } = bench()
    const other = owner()
    const one = owner({ deadlineMs: 20_000 })
    const policy = { limit: 1_000, per: 'month', atRisk: 400 } as const
    const held = other.vsa.budget('shared', policy)
    await held.admit()
    for (let call = 0; call < 100; call += 1) held.tryAdmit()
    await clock.advance(150)
    const shared = one.vsa.budget('shared', policy)
    await shared.admit(1, { durable: true })
    const left = (await shared.peek()).remaining
    const { heard, all } = crowd(left, () => shared.admit(1, { durable: true }))
    await clock.advance(50)
    expect(heard.length).toBeGreaterThan(0)
    await clock.advance(10_000)
    await all
    const admitted = heard.filter(({ verdict }) => verdict === true)
    expect(admitted.map(({ caller }) => caller)).toEqual(inOrder(admitted.length))
    await Promise.all([one.vsa.flush(), other.vsa.flush()])
    expect(await shared.peek()).toMatchObject({ used: 1_000, burned: 0 })
  })

  test('O5: after the end of the epoch those surely not admitted ask again, each once', async () => {
    const { clock, owner, row, reap } = bench()
    const one = owner({ deadlineMs: 20_000 })
    const seats = one.vsa.budget('seats', { initial: 500 })
    await seats.admit()
    reap(one)
    await clock.advance(60_000)
    const { heard, all } = crowd(600, () => seats.admit())
    await clock.advance(5_000)
    await all
    expect(heard.filter(({ verdict }) => verdict === true)).toHaveLength(499)
    expect((await row('seats')).used).toBe(500)
  })

  test('O13: a call after `close` is refused, and those before it in the same turn are answered', async () => {
    const { owner, row } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await seats.admit()
    const { heard, all } = crowd(20, () => seats.admit())
    const closed = one.vsa.close()
    await expect(seats.admit()).rejects.toMatchObject({ code: 'closed' })
    await Promise.all([all, closed])
    expect(heard).toEqual(inOrder(20).map((caller) => ({ caller, verdict: true })))
    expect((await row('seats')).used).toBe(21)
  })

  test('a call past `waitersMax` is refused, and the others are served', async () => {
    const { owner } = bench()
    const one = owner({ waitersMax: 300 })
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await seats.admit()
    const { heard, all } = crowd(301, () => seats.admit())
    await all
    expect(heard[0]).toEqual({ caller: 300, verdict: 'too_many_waiters' })
    expect(heard.slice(1).map(({ caller }) => caller)).toEqual(inOrder(300))
  })

  test('A2, L1: those of another budget are not among them, though they ask for as much', async () => {
    const { owner, row } = bench()
    const { vsa } = owner()
    const [one, other] = [vsa.budget('one', { initial: 100 }), vsa.budget('other', { initial: 100 })]
    await Promise.all([one.admit(2), one.admit(2), other.admit(2), other.admit(2), other.admit(2), one.admit(2)])
    expect([(await row('one')).used, (await row('other')).used]).toEqual([6, 6])
  })

  test('O10: those with a deadline of their own are not among them', async () => {
    const { clock, owner } = bench()
    const one = owner({ deadlineMs: 2_000, exchangeTimeoutMs: 5_000 })
    const seats = one.vsa.budget('seats', { initial: 100 })
    await seats.admit()
    one.net.inject('exchange', { kind: 'delay', requestMs: 500, answerMs: 0 })
    const early = [1, 2].map(() => seats.admit(1, { deadlineMs: 50 }).catch(codeOf))
    const late = [1, 2].map(() => seats.admit().catch(codeOf))
    await clock.advance(1_000)
    expect(await Promise.all(early)).toEqual(['timeout', 'timeout'])
    expect(await Promise.all(late)).toEqual([true, true])
  })

  test('L4, O9: a durable one is not taken for one that is not: it is durable on return', async () => {
    const { clock, owner, row } = bench()
    const { vsa } = owner()
    const calls = vsa.budget('calls', { initial: 1_000, atRisk: 100 })
    await vsa.ready()
    calls.tryAdmit(100)
    await clock.settle()
    const [leased, durable] = [calls.admit(2), calls.admit(2, { durable: true })]
    expect(await leased).toBe(true)
    expect(await durable).toBe(true)
    expect((await row('calls')).used).toBe(4)
  })

  test('`onStoreUnavailable: allow` counts each of them', async () => {
    const { clock, owner } = bench()
    const one = owner({ deadlineMs: 500, onStoreUnavailable: 'allow' })
    const seats = one.vsa.budget('seats', { initial: 1_000 })
    await seats.admit(2)
    one.net.cut('hang')
    const { heard, all } = crowd(300, () => seats.admit(2))
    await clock.advance(600)
    await all
    expect(heard.every(({ verdict }) => verdict === true)).toBe(true)
    expect(one.vsa.stats()).toMatchObject({ unaccountedUnits: 600, operations: 301, waiters: 0 })
  })
})
