import { describe, expect, test, vi } from 'vitest'
import type { Answer, AppliedAnswer } from '../../src/core/exchange.ts'
import type { Joined } from '../../src/core/store.ts'
import { LeasedRow } from '../../src/engine/rows/leased-row.ts'
import { bench, FLUSH_MS, holdLease, type Owner } from './fixture.ts'

const LEASED = { limit: 10_000, per: 'month', atRisk: 500 } as const

/** Changes what the store answers to exchanges, `times` times. */
function tamper({ net }: Owner, change: (answer: AppliedAnswer) => unknown, times = Infinity): void {
  const exchange = net.exchange.bind(net)
  let left = times
  net.exchange = async (batch) => {
    const answer = await exchange(batch)
    if (left <= 0 || !('entries' in answer)) return answer
    left -= 1
    return change(answer) as Answer
  }
}

describe('a store that gives wrong answers', () => {
  const wrong: readonly (readonly [string, (answer: AppliedAnswer) => unknown])[] = [
    ['too few entries', (answer) => ({ ...answer, entries: [] })],
    ['too many entries', (answer) => ({ ...answer, entries: [...answer.entries, ...answer.entries] })],
    [
      'an entry of another kind',
      (answer) => ({ ...answer, entries: [{ kind: 'counter', value: 1, overflow: false }] }),
    ],
    [
      'a lease that is text',
      (answer) => ({ ...answer, entries: answer.entries.map((row) => ({ ...row, held: '9' })) }),
    ],
    ['no list of grants', (answer) => ({ ...answer, granted: undefined })],
    ['more grants than requests', (answer) => ({ ...answer, granted: answer.granted.map((n) => n + 1) })],
    ['no time', (answer) => ({ ...answer, time: NaN })],
    ['nothing', () => undefined],
    ['text', () => 'OK'],
  ]

  test.each(wrong)(
    'O2 L3: %s: the event names the store, and the same batch again gets the answer',
    async (_what, change) => {
      const { clock, owner, row } = bench()
      const one = owner()
      const seats = one.vsa.budget('seats', { initial: 10 })
      await one.vsa.ready()
      tamper(one, change, 1)
      const asked = seats.admit(4)
      await clock.advance(3_000)
      expect(await asked).toBe(true)
      expect(one.batches[1]).toBe(one.batches[0])
      const [away] = one.events.filter((event) => event.type === 'store_away')
      expect(away?.error.message).toContain('the store gave a wrong answer')
      expect(one.events.map(({ type }) => type)).toEqual(['joined', 'store_away', 'store_back'])
      expect(await row('seats')).toMatchObject({ used: 4 })
    },
  )

  test.each(wrong)(
    'L1 O2: %s, each time: nothing is admitted, and leases in hand go on serving',
    async (_what, change) => {
      const { clock, owner } = bench()
      const one = owner({ deadlineMs: 400 })
      const [seats, calls] = [one.vsa.budget('seats', { initial: 10 }), one.vsa.budget('calls', LEASED)]
      expect(await calls.admit(50)).toBe(true)
      await clock.advance(FLUSH_MS)
      tamper(one, change)
      const asked = seats.admit(4).catch((error: unknown) => error)
      await clock.advance(500)
      expect(await asked).toMatchObject({ code: 'store_unavailable', applied: 'unknown', statusCode: 503 })
      expect(calls.tryAdmit()).toBe(true)
      await clock.advance(10 * FLUSH_MS)
      expect(one.events.map(({ type }) => type)).toEqual(['joined', 'store_away'])
    },
  )

  test.each<[string, (answer: AppliedAnswer) => unknown]>([
    ['no outcome of a change', ({ credits: _left, ...answer }) => answer],
    ['outcomes of too few changes', (answer) => ({ ...answer, credits: { takes: {}, changes: [] } })],
    ['null for an outcome', (answer) => ({ ...answer, credits: { takes: {}, changes: [null] } })],
    ['an outcome of no kind', (answer) => ({ ...answer, credits: { takes: {}, changes: [{ kind: 'done' }] } })],
  ])('O2 R4: %s: the same batch again gets the answer, and there is no hot loop', async (_what, change) => {
    const { clock, owner, row } = bench()
    const one = owner()
    const credits = one.vsa.budget('credits', { initial: 10 })
    const call = await credits.reserve(4, { id: 'call', ttlMs: 60_000, onExpire: 'return' })
    const before = one.net.calls.exchange
    tamper(one, change, 1)
    const settled = call?.settle(1)
    await clock.advance(3_000)
    expect(await settled).toMatchObject({ settled: 1 })
    expect(one.net.calls.exchange - before).toBeLessThanOrEqual(3)
    expect(await row('credits')).toMatchObject({ used: 1, reserved: 0 })
  })

  test('O2: a wrong answer to a join fails the attempt, and the next one counts', async () => {
    const { clock, owner } = bench()
    const one = owner()
    const join = one.net.join.bind(one.net)
    const answers: unknown[] = [undefined, { epoch: '1', time: 1, leaseTtlMs: 1 }]
    one.net.join = async (label) => (answers.length === 0 ? join(label) : (answers.shift() as Joined))
    // The first call of `join` is under way since `open`.
    one.net.inject('join', { kind: 'refused' })
    const two = owner()
    await two.vsa.ready()
    const ready = one.vsa.ready().catch((error: unknown) => error)
    await clock.advance(1_000)
    await ready
    await one.vsa.ready()
    expect(await one.vsa.budget('seats', { initial: 10 }).admit()).toBe(true)
  })
})

describe('a bug while an answer is taken in, or a batch is made', () => {
  /** The next call of the method throws for this key. */
  function plant(method: 'acknowledge' | 'send' | 'lose', key: string): void {
    const original = LeasedRow.prototype[method] as (...args: unknown[]) => unknown
    const spy = vi.spyOn(LeasedRow.prototype, method)
    spy.mockImplementation(function planted(this: LeasedRow, ...args: unknown[]) {
      if (this.key !== key) return original.apply(this, args)
      spy.mockRestore()
      throw new TypeError('planted')
    })
  }

  test.each(['acknowledge', 'send'] as const)(
    'S6: in %s: the budget is quarantined, its requests fail, and the others of the batch are served',
    async (method) => {
      const { clock, owner, row } = bench()
      const one = owner()
      const [bad, good] = [one.vsa.budget('bad', { initial: 10 }), one.vsa.budget('good', { initial: 10 })]
      await Promise.all([bad.admit(), good.admit()])
      plant(method, 'bad')
      bad.refund()
      good.refund()
      const asked = Promise.all([
        bad.mint(1, { id: 'a' }).catch((error: unknown) => error),
        one.vsa
          .admitAll([
            [bad, 1],
            [good, 1],
          ])
          .catch((error: unknown) => error),
        good.admit(3),
      ])
      await clock.advance(FLUSH_MS)
      const [minted, together, alone] = await asked
      expect(minted).toMatchObject({ code: 'quarantined' })
      expect(alone).toBe(true)
      // What was granted before the bug was met is given; what was not sent is not.
      if (method === 'send') expect(together).toMatchObject({ code: 'quarantined' })
      expect(one.events).toContainEqual({ type: 'quarantined', key: 'bad', detail: 'planted' })
      expect((await row('good')).used).toBe(together === true ? 4 : 3)
      await expect(bad.admit()).rejects.toMatchObject({ code: 'quarantined' })
      expect(await good.admit()).toBe(true)
      await one.vsa.close()
    },
  )

  test('O5 S6: while an epoch ends: the budget is quarantined, and the others move to the next epoch', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 500 })
    const [one, other] = [owner(), owner()]
    const [bad, good] = [one.vsa.budget('bad', { initial: 10 }), one.vsa.budget('good', { initial: 10 })]
    await Promise.all([bad.admit(3), good.admit(3)])
    await holdLease(one)
    one.net.cut('hang')
    bad.refund(2)
    good.refund(2)
    await clock.advance(1_000)
    await other.vsa.budget('x', { initial: 1 }).admit()
    plant('lose', 'bad')
    one.net.heal()
    await clock.advance(5_000)
    expect(one.events.map(({ type }) => type)).toContain('fenced')
    expect(one.events).toContainEqual({ type: 'quarantined', key: 'bad', detail: 'planted' })
    expect(await good.admit()).toBe(true)
    expect((await row('good')).used).toBe(2)
  })

  test('a bug that no budget can be named for is reported, and the engine goes on', async () => {
    const { clock, owner } = bench()
    const events: unknown[] = []
    const one = owner({ onEvent: (event) => events.push(event) })
    const seats = one.vsa.budget('seats', { initial: 10 })
    await seats.admit()
    const bug = new TypeError('planted')
    const now = vi.spyOn(clock, 'soon').mockImplementationOnce((run) =>
      setImmediate(() => {
        vi.spyOn(one.net.capabilities, 'batchMax', 'get').mockImplementationOnce(() => {
          throw bug
        })
        run()
      }),
    )
    const asked = seats.admit(2)
    await clock.settle()
    now.mockRestore()
    expect(events).toContainEqual({ type: 'internal_error', error: bug })
    expect(await seats.admit(3)).toBe(true)
    expect(await asked).toBe(true)
  })
})

describe('listeners', () => {
  test.each([
    ['throws', () => raise()],
    ['rejects', () => Promise.reject(new Error('planted'))],
  ])('an onEvent that %s does not end the process: what it failed with is printed', async (_how, onEvent) => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    try {
      const { clock, owner } = bench()
      const { vsa } = owner({ onEvent })
      expect(await vsa.budget('seats', { initial: 1 }).admit()).toBe(true)
      await clock.settle()
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('onEvent'), new Error('planted'))
    } finally {
      warn.mockRestore()
    }
  })

  test('events come in order, and after the work that raised them: a listener may call anything', async () => {
    const { clock, owner, row } = bench()
    const seen: string[] = []
    const one = owner({
      thresholds: [0.1, 0.2, 0.3],
      onEvent: (event) => {
        if (event.type !== 'threshold') return
        seen.push(`${event.key} ${event.fraction}`)
        one.vsa.budget(event.key, { initial: 10 }).refund(3)
        one.vsa.close().catch(() => undefined)
      },
    })
    const seats = ['a', 'b'].map((key) => one.vsa.budget(key, { initial: 10 }))
    await Promise.all(seats.map((budget) => budget.admit(3)))
    await clock.advance(10 * FLUSH_MS)
    await one.vsa.close()
    expect(seen).toEqual(['a 0.1', 'a 0.2', 'a 0.3', 'b 0.1', 'b 0.2', 'b 0.3'])
    expect([await row('a'), await row('b')]).toMatchObject([{ used: 0 }, { used: 0 }])
    expect(one.vsa.stats().refundsRefused).toBe(12)
  })
})

function raise(): never {
  throw new Error('planted')
}
