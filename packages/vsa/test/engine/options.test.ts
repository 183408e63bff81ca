import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { open, storeFrom, VsaError, type Budget, type OpenOptions, type Store, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { bench } from './fixture.ts'

/** Called without types, as from JavaScript. */
type Untyped = (...values: unknown[]) => unknown

const open_ = open as unknown as Untyped
const memory_ = memory as unknown as Untyped
const sqlite_ = sqlite as unknown as Untyped
const storeFrom_ = storeFrom as unknown as Untyped
const adapter = new MemoryAdapter(() => 0, 1_000)
const now = (): number => 0

describe('an unknown or wrong option is refused at once, and the error names it', () => {
  test.each<[string, () => unknown, Error]>([
    [
      'open',
      () => open_({ store: memory(), flushInterval: 50 }),
      new TypeError('options.flushInterval is not known; did you mean flushIntervalMs?'),
    ],
    ['open without options', () => open_(), new TypeError('options must be an object, got undefined')],
    [
      'open with a bare store',
      () => open_(memory()),
      new TypeError('options must be an object that has the store: open({ store })'),
    ],
    [
      'a store without a method',
      () => open_({ store: { ...storeOf(memory()), list: undefined } }),
      new TypeError(`options.store must be a store, such as sqlite('vsa.db'): an object without list()`),
    ],
    [
      'a store without a batchMax',
      () => open_({ store: { ...storeOf(memory()), capabilities: undefined } }),
      new TypeError('options.store.capabilities.batchMax must be a number, got undefined'),
    ],
    [
      'a clock',
      () => open_({ store: memory(), clock: Date }),
      new TypeError('options.clock must be a clock, such as manualClock(): a function without monotonic()'),
    ],
    [
      'a random source',
      () => open_({ store: memory(), random: 4 }),
      new TypeError('options.random must be a function, got 4'),
    ],
    [
      'waitersMax',
      () => open_({ store: memory(), waitersMax: 0 }),
      new RangeError('options.waitersMax must be a whole number of requests from 1 to 2^53 - 1, got 0'),
    ],
    [
      'budgetsMax',
      () => open_({ store: memory(), budgetsMax: '9' }),
      new TypeError('options.budgetsMax must be a number of budgets, got "9"'),
    ],
    [
      'memory',
      () => memory_({ time: now }),
      new TypeError('options.time is not known; it has now, leaseTtlMs, upkeepEveryMs, upkeepRowsMax'),
    ],
    ['memory, null', () => memory_(null), new TypeError('options must be an object, got null')],
    [
      'the lease lifetime of memory',
      () => memory_({ leaseTtlMs: 86_400_001 }),
      new RangeError('options.leaseTtlMs must be a whole number of milliseconds from 1 to 86400000, got 86400001'),
    ],
    ['the time of memory', () => memory_({ now: 5 }), new TypeError('options.now must be a function, got 5')],
    [
      'sqlite',
      () => sqlite_('vsa.db', { busyTimeout: 5 }),
      new TypeError('options.busyTimeout is not known; did you mean busyTimeoutMs?'),
    ],
    [
      'the thread of sqlite',
      () => sqlite_('vsa.db', { thread: 'no' }),
      new TypeError('options.thread must be a boolean, got "no"'),
    ],
    [
      'the time of sqlite',
      () => sqlite_('vsa.db', { now: { buffer: 5 } }),
      new TypeError('options.now must be a function, or a SharedTime, whose buffer is a SharedArrayBuffer'),
    ],
    [
      'storeFrom',
      () => storeFrom_(adapter, { now, upkeepEvery: 5 }),
      new TypeError('options.upkeepEvery is not known; did you mean upkeepEveryMs?'),
    ],
    [
      'an adapter',
      () => storeFrom_({ ready: now }, { now }),
      new TypeError('adapter must be a store adapter: an object without loadJoin()'),
    ],
    [
      'storeFrom without a clock',
      () => storeFrom_(adapter, {}),
      new TypeError('options.now must be a function, got undefined'),
    ],
    [
      'the upkeep of storeFrom',
      () => storeFrom_(adapter, { now, upkeepRowsMax: 0 }),
      new RangeError('options.upkeepRowsMax must be a whole number of rows from 1 to 2^53 - 1, got 0'),
    ],
  ])('%s', (_what, call, error) => {
    expect(call).toThrow(error)
  })

  test('an undefined option counts as absent', async () => {
    const options = { store: memory(), label: undefined, flushInterval: undefined } as unknown as OpenOptions
    await open(options).close()
  })
})

/** Its methods as own properties, so that one can be left out. */
function storeOf(store: Store): Record<string, unknown> {
  return {
    capabilities: store.capabilities,
    join: now,
    exchange: now,
    read: now,
    list: now,
    owners: now,
    close: now,
  }
}

describe('the arguments of a call', () => {
  const { owner } = bench()
  const { vsa } = owner()
  const calls = vsa.budget('calls', { limit: 100, per: 'month' })
  const seats = vsa.budget('seats', { initial: 5 })

  /** The call rejects with this error; it never throws. */
  const rejection = (call: () => unknown): Promise<unknown> => {
    const answer = call()
    expect(answer).toBeInstanceOf(Promise)
    return (answer as Promise<unknown>).then(
      () => null,
      (error: unknown) => error,
    )
  }
  const untyped = (target: Vsa | Budget): Record<string, Untyped> => target as unknown as Record<string, Untyped>

  test.each<[string, () => unknown, Error]>([
    ['admit', () => untyped(calls)['admit']?.(3n), new TypeError('units must be a number of units, got 3n')],
    [
      'admit with a symbol',
      () => untyped(calls)['admit']?.(Symbol('s')),
      new TypeError('units must be a number of units, got Symbol(s)'),
    ],
    ['decide', () => untyped(calls)['decide']?.(3n), new TypeError('units must be a number of units, got 3n')],
    [
      'a mint of',
      () => untyped(seats)['mint']?.(3n, { id: 'x' }),
      new TypeError('units must be a number of units, got 3n'),
    ],
    [
      'a misspelt deadline',
      () => untyped(calls)['admit']?.(1, { deadline: 5 }),
      new TypeError('options.deadline is not known; did you mean deadlineMs?'),
    ],
    [
      'decide with null',
      () => untyped(calls)['decide']?.(1, null),
      new TypeError('options must be an object, got null'),
    ],
    [
      'admitAll',
      () => untyped(vsa)['admitAll']?.([[calls, 1]], { wait: true }),
      new TypeError('options.wait is not known; it has durable, deadlineMs, signal, id'),
    ],
    [
      'a mint without an id',
      () => untyped(seats)['mint']?.(1),
      new TypeError('options must be an object, got undefined'),
    ],
    [
      'a mint with more than an id',
      () => untyped(seats)['mint']?.(1, { id: 'x', ids: 5 }),
      new TypeError('options.ids is not known; did you mean id?'),
    ],
    [
      'flush',
      () => untyped(vsa)['flush']?.({ returnLease: true }),
      new TypeError('options.returnLease is not known; did you mean returnLeases?'),
    ],
    ['flush with null', () => untyped(vsa)['flush']?.(null), new TypeError('options must be an object, got null')],
    [
      'flush with a wrong flag',
      () => untyped(vsa)['flush']?.({ returnLeases: 1 }),
      new TypeError('options.returnLeases must be a boolean, got 1'),
    ],
    [
      'close',
      () => untyped(vsa)['close']?.({ timeoutMs: 5 }),
      new TypeError('options.timeoutMs is not known; it has deadlineMs'),
    ],
    ['close with null', () => untyped(vsa)['close']?.(null), new TypeError('options must be an object, got null')],
    [
      'close with a bad deadline',
      () => untyped(vsa)['close']?.({ deadlineMs: 0 }),
      new RangeError('options.deadlineMs must be a whole number of milliseconds from 1 to 3600000, got 0'),
    ],
  ])('%s: the promise rejects with an error that names the argument', async (_what, call, error) => {
    expect(await rejection(call)).toEqual(error)
  })

  test('a BigInt is refused by name where the call answers at once', () => {
    const named = new TypeError('units must be a number of units, got 3n')
    expect(() => untyped(calls)['tryAdmit']?.(3n)).toThrow(named)
    expect(() => untyped(calls)['refund']?.(3n)).toThrow(named)
    expect(() => untyped(vsa)['budget']?.('other', { limit: 5n, per: 'day' })).toThrow(
      new TypeError('policy.limit must be a number of units, got 5n'),
    )
  })

  test('a policy names the nearest known part', () => {
    expect(() => untyped(vsa)['budget']?.('other', { limits: 5, per: 'day' })).toThrow(
      new TypeError('policy.limits is not known; did you mean limit?'),
    )
  })

  test('a refused close leaves the engine open', async () => {
    await expect(seats.admit()).resolves.toBe(true)
    await vsa.close()
    expect(await rejection(() => untyped(vsa)['close']?.({ deadlineMs: 0 }))).toBeInstanceOf(RangeError)
  })
})

describe('any argument is accepted, or refused by name', () => {
  /** An argument of ours comes first in the message. The messages of the language begin otherwise. */
  const NAMED = /^(options|policy|units|needs|key|name|id|n|decision|adapter|path|the units of)\b/
  const junk = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withSparseArray: true }),
    fc.constantFrom<unknown>(Symbol('s'), 3n, null, undefined, -0, NaN, Date, () => 1, Object.create(null)),
  )

  async function refusal(call: () => unknown): Promise<unknown> {
    try {
      await call()
      return null
    } catch (error) {
      return error
    }
  }

  function expectNamed(error: unknown): void {
    if (error === null || error instanceof VsaError) return
    expect(error).toSatisfy((thrown) => thrown instanceof TypeError || thrown instanceof RangeError)
    expect((error as Error).message).toMatch(NAMED)
  }

  const someOptions = (names: readonly string[]): fc.Arbitrary<Record<string, unknown>> =>
    fc.dictionary(fc.constantFrom(...names), junk, { maxKeys: 3 })

  test('options of open and of stores', async () => {
    const openNames = ['label', 'flushIntervalMs', 'waitersMax', 'onStoreUnavailable', 'thresholds', 'clock', 'random']
    const storeNames = ['driver', 'thread', 'leaseTtlMs', 'busyTimeoutMs', 'now', 'upkeepEveryMs', 'upkeepRowsMax', 'x']
    await fc.assert(
      fc.asyncProperty(someOptions(openNames), someOptions(storeNames), junk, async (opening, storing, any) => {
        // Only the refusals count: an engine with a clock that does nothing is not waited for.
        for (const call of [
          () => open_({ ...opening, store: any }),
          () => open_(any),
          () => memory_(storing),
          () => memory_(any),
          () => sqlite_('vsa.db', storing),
          () => sqlite_(any),
          () => storeFrom_(adapter, any),
          () => storeFrom_(any, { now }),
        ])
          expectNamed(await refusal(call))
        const { clock: _clock, random: _random, ...rest } = opening
        expectNamed(await refusal(() => (open_({ ...rest, store: memory(), onEvent: now }) as Vsa).close()))
      }),
    )
  })

  test('arguments of calls', async () => {
    const { owner, clock } = bench()
    const { vsa } = owner()
    const calls = vsa.budget('calls', { limit: 2 ** 40, per: 'month' })
    const seats = vsa.budget('seats', { initial: 2 ** 40 })
    const [onVsa, onCalls, onSeats] = [vsa, calls, seats].map((target) => target as unknown as Record<string, Untyped>)
    const callOptions = fc.oneof(junk, someOptions(['deadlineMs', 'durable', 'signal', 'id', 'returnLeases']))
    await fc.assert(
      fc.asyncProperty(junk, callOptions, async (any, options) => {
        const calling: Promise<unknown>[] = [
          ...['admit', 'decide'].map((name) => refusal(() => onCalls?.[name]?.(any, options))),
          refusal(() => onCalls?.['tryAdmit']?.(any)),
          refusal(() => onCalls?.['refund']?.(any, options)),
          refusal(() => onSeats?.['mint']?.(any, options)),
          refusal(() => onVsa?.['admitAll']?.(any, options)),
          refusal(() => onVsa?.['decideAll']?.([[calls, any]], options)),
          refusal(() => onVsa?.['flush']?.(options)),
          refusal(() => onVsa?.['budget']?.(any, options)),
          refusal(() => onVsa?.['budgets']?.(any, options)),
          refusal(() => onVsa?.['budgets']?.('plans', () => options)),
          refusal(() => vsa.budgets('others', { limit: 1, per: 'month' }).of(any as string)),
          refusal(() => vsa.counter(any as string).add(any as number)),
        ]
        let answered = false
        const errors = Promise.all(calling).finally(() => (answered = true))
        // A flush waits while the store refuses a refund of more units than were admitted.
        for (let turns = 0; !answered && turns < 60; turns += 1) await clock.advance(turns === 0 ? 1 : 1_000)
        expect(answered).toBe(true)
        for (const error of await errors) expectNamed(error)
      }),
      { examples: [[4_700_769_650_580_429, undefined]] },
    )
  })
})
