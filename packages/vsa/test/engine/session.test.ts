import { describe, expect, test } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import type { Answer, AppliedAnswer, Batch } from '../../src/core/exchange.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import type { BatchContent } from '../../src/engine/session/state-machine.ts'
import type { VsaEvent } from '../../src/engine/runtime/events.ts'
import { Session } from '../../src/engine/session/session.ts'
import { Metrics } from '../../src/engine/runtime/metrics.ts'
import { manualClock, type ManualClock } from '../../src/testing/index.ts'

const CONTENT: BatchContent = { entries: [], takes: [], close: false }
const TIMEOUT_MS = 1_000

/** One call of the session, which the test answers. */
interface Call {
  readonly atMs: number
  readonly batch: Batch | null
  readonly answer: (answer: Answer | Joined) => void
  readonly fail: (cause: unknown) => void
}

interface Stage {
  readonly clock: ManualClock
  readonly session: Session
  readonly calls: Call[]
  readonly events: VsaEvent[]
  /** What the listener was called with, in words. */
  readonly reports: string[]
  readonly metrics: Metrics
  /** What is to be sent instead of a batch with a row that does not balance. */
  rest: BatchContent | null
}

/** A session whose store is answered by the test. */
function stage(random = 0.5): Stage {
  const clock = manualClock()
  const calls: Call[] = []
  const events: VsaEvent[] = []
  const reports: string[] = []
  const metrics = new Metrics()
  const call = <T>(batch: Batch | null): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      // The test answers a join with `Joined` and an exchange with `Answer`.
      const answer = (value: Answer | Joined): void => resolve(value as T)
      calls.push({ atMs: clock.monotonic(), batch, answer, fail: reject })
    })
  const store: Pick<Store, 'join' | 'exchange'> = { join: () => call<Joined>(null), exchange: (batch) => call(batch) }
  const session = new Session(
    {
      store: store as Store,
      clock,
      random: () => random,
      label: 'test',
      flushIntervalMs: 100,
      isClockGiven: false,
      exchangeTimeoutMs: TIMEOUT_MS,
      emit: (event) => events.push(event),
      metrics,
    },
    {
      opened: (epoch) => reports.push(`opened ${epoch}`),
      settled: ({ seq }, { kind }) => reports.push(`settled ${seq} ${kind}`),
      fenced: ({ seq }, answer) => reports.push(`fenced ${seq} ${answer?.last?.seq ?? 'unknown'}`),
      voided: ({ seq }, row, detail) => {
        reports.push(`voided ${seq} ${row?.key ?? 'nothing'} ${detail}`)
        return scene.rest
      },
      ended: ({ seq }, { kind }) => reports.push(`ended ${seq} ${kind}`),
      failed: ({ message }) => reports.push(`failed ${message}`),
    },
  )
  const scene: Stage = { clock, session, calls, events, reports, metrics, rest: null }
  return scene
}

const JOINED: Joined = { epoch: 7, token: 't', time: 5_000, leaseTtlMs: 1_000 }

/** Answers the last call, and waits until it is handled. */
async function answer(scene: Stage, value: Answer | Joined): Promise<void> {
  scene.calls.at(-1)?.answer(value)
  await scene.clock.settle()
}

async function fail(scene: Stage, cause: unknown): Promise<void> {
  scene.calls.at(-1)?.fail(cause)
  await scene.clock.settle()
}

async function joined(scene: Stage, value: Joined = JOINED): Promise<void> {
  scene.session.start()
  await answer(scene, value)
}

async function sent(scene: Stage, content = CONTENT): Promise<void> {
  scene.session.send(content)
  await scene.clock.settle()
}

function applied(time: number, kind: AppliedAnswer['kind'] = 'applied'): AppliedAnswer {
  const written = { records: 0, leaseRecords: 0 }
  return { kind, time, expiresAt: time + 1_000, entries: [], granted: [], wanted: [], written }
}

const DOWN = new StoreError('store_busy', 'down', { applied: 'no', transient: true })

/** When each attempt was made, counted from the one before. */
function gaps(calls: readonly Call[]): number[] {
  return calls.slice(1).map(({ atMs }, at) => atMs - (calls[at]?.atMs ?? 0))
}

describe('attempts', () => {
  test.each([
    [0, [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]],
    [0.5, [15, 30, 60, 120, 240, 480, 960, 1_500, 1_500]],
    [1, [20, 40, 80, 160, 320, 640, 1_280, 2_000, 2_000]],
  ])('O2: the pauses double from 20 ms to 2 s; half of each is drawn, here %d of it', async (random, pauses) => {
    const scene = stage(random)
    await joined(scene)
    scene.calls.length = 0
    await sent(scene)
    for (const pauseMs of pauses) {
      await fail(scene, DOWN)
      await scene.clock.advance(pauseMs)
    }
    expect(gaps(scene.calls)).toEqual(pauses)
    expect(new Set(scene.calls.map(({ batch }) => batch)).size).toBe(1)
    expect(scene.metrics.exchanges).toBe(pauses.length + 1)
    // The next batch begins with the short pause again.
    await answer(scene, applied(6_000))
    await sent(scene)
    await fail(scene, DOWN)
    await scene.clock.advance(20)
    expect(gaps(scene.calls).at(-1)).toBe(pauses[0])
  })

  test('O2: a pause is never longer than 2 s, however long the store is away', async () => {
    const scene = stage()
    await joined(scene)
    scene.calls.length = 0
    await sent(scene)
    for (let attempt = 0; attempt < 1_100; attempt += 1) {
      await fail(scene, DOWN)
      await scene.clock.advance(1_500)
    }
    expect(scene.calls.length).toBeGreaterThan(1_100)
    expect(new Set(gaps(scene.calls).slice(10))).toEqual(new Set([1_500]))
  })

  test('O2: no answer in time is a failure, and the same batch goes again; a join is given five times as long', async () => {
    const scene = stage()
    scene.session.start()
    await scene.clock.advance(5 * TIMEOUT_MS + 15)
    expect(gaps(scene.calls)).toEqual([5 * TIMEOUT_MS + 15])
    await answer(scene, JOINED)
    await sent(scene)
    await scene.clock.advance(TIMEOUT_MS + 15)
    expect(gaps(scene.calls).at(-1)).toBe(TIMEOUT_MS + 15)
    expect(scene.calls.at(-1)?.batch).toBe(scene.calls.at(-2)?.batch)
    expect(scene.reports).toEqual([
      'failed the store did not answer within 5000 ms; the same call is sent again',
      'opened 7',
      'failed the store did not answer within 1000 ms; the same call is sent again',
    ])
    expect(scene.session.lastError).toMatchObject({ code: 'store_failed', applied: 'unknown', transient: true })
  })

  test('O2: a late failure of an earlier attempt does not fail the present one', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    const first = scene.calls.at(-1)
    await scene.clock.advance(TIMEOUT_MS + 15)
    const tries = scene.calls.length
    first?.fail(DOWN)
    await scene.clock.advance(500)
    expect(scene.calls).toHaveLength(tries)
    await answer(scene, applied(6_000))
    expect(scene.reports.slice(-2)).toEqual([
      'failed the store did not answer within 1000 ms; the same call is sent again',
      'settled 1 applied',
    ])
  })

  test('O2: an attempt that times out and then fails counts as one failure, and the pause does not start again', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    await scene.clock.advance(TIMEOUT_MS + 10)
    await fail(scene, DOWN)
    expect(scene.reports.filter((line) => line.startsWith('failed'))).toHaveLength(1)
    await scene.clock.advance(5)
    expect(gaps(scene.calls).at(-1)).toBe(TIMEOUT_MS + 15)
  })

  test('O2: a late failure of an attempt for a settled batch is ignored', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    const first = scene.calls.at(-1)
    await scene.clock.advance(TIMEOUT_MS + 15)
    await answer(scene, applied(6_000))
    await sent(scene)
    first?.fail(DOWN)
    await scene.clock.settle()
    expect(scene.session).toMatchObject({ state: 'sending', lastError: null })
  })

  test('O2: a late answer to a settled batch does not cancel the time limit of the next one', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    const first = scene.calls.at(-1)
    await scene.clock.advance(TIMEOUT_MS + 15)
    await answer(scene, applied(6_000))
    await sent(scene)
    first?.answer(applied(90_000))
    await scene.clock.settle()
    expect(scene.session.state).toBe('sending')
    expect(scene.session.time).toBeLessThan(90_000)
    await scene.clock.advance(TIMEOUT_MS + 15)
    expect(gaps(scene.calls).at(-1)).toBe(TIMEOUT_MS + 15)
    expect(scene.reports.filter((line) => line.startsWith('settled'))).toHaveLength(1)
  })

  test('O2: the answer to an earlier attempt counts, also during the pause before the next one', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    await scene.clock.advance(TIMEOUT_MS + 5)
    expect(scene.session.state).toBe('resending')
    await answer(scene, applied(6_000, 'replayed'))
    expect(scene.reports.at(-1)).toBe('settled 1 replayed')
    await scene.clock.advance(10 * TIMEOUT_MS)
    expect(scene.calls).toHaveLength(2)
    expect(scene.clock.timers).toBe(0)
  })

  test('what a store throws or rejects with becomes a StoreError; a StoreError is passed on as it is', async () => {
    const clock = manualClock()
    const failures: StoreError[] = []
    const causes: unknown[] = [new Error('half open'), 'a string', DOWN]
    const store = {
      join: () => {
        const cause = causes.shift()
        if (cause instanceof Error) throw cause
        return Promise.reject(cause)
      },
    }
    const listener = { failed: (error: StoreError) => void failures.push(error) }
    const options = {
      label: 'test',
      flushIntervalMs: 100,
      isClockGiven: false,
      exchangeTimeoutMs: TIMEOUT_MS,
      metrics: new Metrics(),
      emit: () => undefined,
    }
    const session = new Session(
      { ...options, store: store as unknown as Store, clock, random: () => 0 },
      listener as unknown as ConstructorParameters<typeof Session>[1],
    )
    session.start()
    await clock.advance(40)
    session.abandon()
    expect(failures.map(({ message }) => message)).toEqual([
      'the store failed: half open',
      'the store failed: a string',
      'down',
    ])
    expect(failures[0]).toMatchObject({ code: 'store_failed', applied: 'unknown', transient: true })
    expect(failures.map(({ cause }) => cause)).toMatchObject([{ message: 'half open' }, 'a string', undefined])
    expect(failures[2]).toBe(DOWN)
  })

  test('O13: after `abandon` nothing is tried again, and no timer is left', async () => {
    for (const isFailing of [false, true]) {
      const scene = stage()
      await joined(scene)
      await sent(scene)
      if (isFailing) await fail(scene, DOWN)
      scene.session.abandon()
      expect(scene.clock.timers).toBe(0)
      await scene.clock.advance(10 * TIMEOUT_MS)
      await answer(scene, applied(6_000))
      expect(scene.calls).toHaveLength(2)
      expect(scene.reports.filter((line) => line.startsWith('settled'))).toEqual([])
    }
  })
})

describe('time', () => {
  test('O11: the session’s time is the store’s at the last answer plus monotonic time since', async () => {
    const scene = stage()
    expect(scene.session).toMatchObject({ time: 0, hasJoined: false, epoch: null })
    await scene.clock.advance(100)
    expect(scene.session.time).toBe(0)
    await joined(scene)
    expect(scene.session).toMatchObject({ time: 5_000, hasJoined: true, epoch: 7, version: 7 })
    await scene.clock.advance(70.5)
    expect(scene.session.time).toBe(5_070)
    scene.clock.jumpWall(3_600_000)
    expect(scene.session.time).toBe(5_070)
    await sent(scene)
    await answer(scene, applied(9_000))
    await scene.clock.advance(1)
    expect(scene.session.time).toBe(9_001)
  })

  test('O11: an owner ahead of the store is corrected, and is ahead by the age of the answer at most', async () => {
    for (const [tookMs, said, time] of [
      [0, 4_000, 4_000],
      [30, 4_000, 4_030],
      [30.2, 4_000, 4_031],
      [30, 5_099, 5_129],
      [30, 5_100, 5_130],
      // The answer may be as old as its call: the owner's own time is within that age.
      [30, 5_110, 5_130],
      [30, 5_130, 5_130],
      [30, 5_131, 5_131],
    ] as const) {
      const scene = stage()
      await joined(scene)
      await scene.clock.advance(100)
      await sent(scene)
      await scene.clock.advance(tookMs)
      await answer(scene, applied(said))
      expect(scene.session.time).toBe(time)
    }
  })

  test('O11: the age of an answer counts from the first attempt, for exchanges and joins', async () => {
    const scene = stage()
    await scene.clock.advance(100)
    await joined(scene)
    expect(scene.session.time).toBe(5_000)
    await scene.clock.advance(1_000)
    await sent(scene)
    await scene.clock.advance(20)
    await fail(scene, DOWN)
    await scene.clock.advance(40)
    await answer(scene, { kind: 'fenced', time: 5_000, last: null, forgot: true })
    expect(scene.session.time).toBe(5_060)
    await scene.clock.advance(500)
    await answer(scene, { ...JOINED, epoch: 9 })
    expect(scene.session.time).toBe(5_000 + 500)
  })

  test('O11 S3: before the first join there is no version, and afterwards it stays that of the first epoch', async () => {
    const scene = stage()
    expect(() => scene.session.version).toThrow('a policy is sent only after a join')
    await joined(scene)
    await sent(scene)
    await answer(scene, { kind: 'fenced', time: 6_000, last: null, forgot: true })
    expect(scene.session).toMatchObject({ version: 7, epoch: null, state: 'joining', hasJoined: true })
    await answer(scene, { ...JOINED, epoch: 9 })
    expect(scene.session).toMatchObject({ version: 7, epoch: 9, state: 'ready' })
  })

  test('O6: a keepalive is due a third of the lease lifetime after the last answer', async () => {
    const scene = stage()
    await scene.clock.advance(50)
    await joined(scene)
    expect(scene.session.leaseTtlMs).toBe(1_000)
    expect(scene.session.keepaliveAtMs).toBe(50 + 333)
    await scene.clock.advance(200)
    await sent(scene)
    await scene.clock.advance(40)
    await answer(scene, applied(5_240))
    expect(scene.session.keepaliveAtMs).toBe(290 + 333)
  })

  test('O7: how long an exchange takes is a moving average, from the first attempt to the answer', async () => {
    const scene = stage()
    await joined(scene)
    expect(scene.session.exchangeMs).toBe(1)
    await scene.clock.advance(33)
    await sent(scene)
    await scene.clock.advance(9)
    await answer(scene, applied(6_000))
    expect(scene.session.exchangeMs).toBe(2)
    await sent(scene)
    await scene.clock.advance(3)
    await fail(scene, DOWN)
    await scene.clock.advance(15)
    await answer(scene, applied(6_000, 'replayed'))
    expect(scene.session.exchangeMs).toBe(4)
    await sent(scene)
    await scene.clock.advance(500)
    await answer(scene, { kind: 'fenced', time: 6_000, last: null, forgot: true })
    expect(scene.session.exchangeMs).toBe(4)
  })
})

describe('events and reports', () => {
  test('`store_away` and `store_back` are reported once each, with the time that the store was away', async () => {
    const scene = stage()
    await scene.clock.advance(100)
    scene.session.start()
    await fail(scene, DOWN)
    expect(scene.session.lastError).toBe(DOWN)
    await scene.clock.advance(15)
    await fail(scene, new StoreError('store_busy', 'still down', { applied: 'no', transient: true }))
    expect(scene.session.lastError?.message).toBe('still down')
    await scene.clock.advance(30)
    await answer(scene, JOINED)
    expect(scene.session.lastError).toBeNull()
    expect(scene.events).toEqual([
      { type: 'store_away', error: DOWN },
      { type: 'store_back', downMs: 45 },
      { type: 'joined', epoch: 7 },
    ])
    await sent(scene)
    await answer(scene, applied(6_000))
    expect(scene.events).toHaveLength(3)
    await sent(scene)
    await fail(scene, DOWN)
    await scene.clock.advance(15)
    await answer(scene, applied(6_000))
    expect(scene.events.slice(3)).toEqual([
      { type: 'store_away', error: DOWN },
      { type: 'store_back', downMs: 15 },
    ])
  })

  test.each(['stale', 'lost'] as const)('O5: an answer of `%s` is reported as `store_forgot`', async (kind) => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    await answer(scene, { kind, time: 6_000 })
    expect(scene.events.at(-1)).toEqual({
      type: 'store_forgot',
      epoch: 7,
      detail: `batch 1 was answered ${kind}`,
    })
    expect(scene.reports.at(-1)).toBe('fenced 1 unknown')
    expect(scene.session).toMatchObject({ state: 'joining', epoch: null })
    expect(scene.calls.at(-1)?.batch).toBeNull()
  })

  test.each([
    [0, 1],
    [7 * 86_400_000, 1],
    [7 * 86_400_000 + 1, 0],
  ])(
    'S2: an epoch that is forgotten %d ms of store time after its last answer is reported %d times',
    async (ms, times) => {
      const scene = stage()
      await joined(scene)
      await sent(scene)
      await answer(scene, { kind: 'fenced', time: JOINED.time + ms, last: null, forgot: true })
      expect(scene.events.filter(({ type }) => type === 'store_forgot')).toHaveLength(times)
      expect(scene.reports.at(-1)).toBe('fenced 1 unknown')
    },
  )

  test('S2: an epoch that was reaped is not reported as forgotten', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    const outcome = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } }
    await answer(scene, { kind: 'fenced', time: 6_000, last: { seq: 0, outcome }, forgot: false })
    expect(scene.events.map(({ type }) => type)).toEqual(['joined'])
  })

  const HOUR_MS = 3_600_000

  test.each([
    [HOUR_MS, []],
    [HOUR_MS + 1, [{ type: 'clock_leap', byMs: HOUR_MS + 1, time: 5_500 + HOUR_MS + 1 }]],
  ])('S10: store time that moves %d ms more than this clock since the last answer', async (ms, events) => {
    const scene = stage()
    await joined(scene)
    await scene.clock.advance(500)
    await sent(scene)
    await answer(scene, applied(5_500 + ms))
    expect(scene.events.slice(1)).toEqual(events)
    // Once: from there on it moves as this clock does.
    await scene.clock.advance(100)
    await sent(scene)
    await answer(scene, applied(5_600 + ms))
    expect(scene.events.slice(1)).toEqual(events)
  })

  test('S10: a first join that finds store time more than an hour ahead of this clock reports it, and a later one does not', async () => {
    const scene = stage()
    const time = scene.clock.now() + HOUR_MS + 1
    await joined(scene, { ...JOINED, time })
    expect(scene.events[0]).toEqual({ type: 'clock_leap', byMs: HOUR_MS + 1, time })
    await sent(scene)
    await answer(scene, { kind: 'lost', time })
    await answer(scene, { ...JOINED, epoch: 8, time })
    expect(scene.events.filter(({ type }) => type === 'clock_leap')).toHaveLength(1)
  })

  test('O5: after a fence the session joins again, with short pauses, and begins at seq 1', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await fail(scene, DOWN)
      await scene.clock.advance(100)
    }
    const outcome = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } }
    await answer(scene, { kind: 'fenced', time: 6_000, last: { seq: 0, outcome }, forgot: false })
    expect(scene.reports.at(-1)).toBe('fenced 1 0')
    expect(scene.events.map(({ type }) => type)).not.toContain('store_forgot')
    await fail(scene, DOWN)
    await scene.clock.advance(15)
    expect(gaps(scene.calls).at(-1)).toBe(15)
    await answer(scene, { ...JOINED, epoch: 8 })
    await sent(scene)
    expect(scene.calls.at(-1)?.batch).toEqual({ epoch: 8, token: 't', seq: 1, ...CONTENT })
  })

  test('S6: the batch without the row that does not balance goes out at once', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    scene.rest = { ...CONTENT, entries: [{ kind: 'void' }] }
    await answer(scene, { kind: 'breach', time: 6_000, row: { key: 'a', period: 0 }, detail: 'minted is 0.5' })
    expect(scene.reports.at(-1)).toBe('voided 1 a minted is 0.5')
    expect(scene.calls.at(-1)?.batch).toEqual({ epoch: 7, token: 't', seq: 1, ...scene.rest })
    expect(gaps(scene.calls).at(-1)).toBe(0)
    await answer(scene, { ...applied(6_000), entries: [{ kind: 'void' }] })
    expect(scene.reports.at(-1)).toBe('settled 1 applied')
  })

  test('S6: a refusal that names no row of the batch is a store failure with the reason', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    await answer(scene, { kind: 'breach', time: 6_000 })
    expect(scene.reports.slice(-2)).toEqual([
      'voided 1 nothing the books do not balance',
      'failed the store refused a batch: the books do not balance',
    ])
    expect(scene.session.lastError).toMatchObject({ code: 'store_failed', applied: 'no', transient: true })
    await scene.clock.advance(15)
    expect(scene.calls.at(-1)?.batch).toBe(scene.calls.at(-2)?.batch)
  })

  test('S9: the answer to the closing batch ends the session: no timer is left', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene, { ...CONTENT, close: true })
    await answer(scene, applied(6_000))
    expect(scene.reports.at(-1)).toBe('ended 1 applied')
    expect(scene.session.state).toBe('ended')
    expect(scene.clock.timers).toBe(0)
    scene.session.abandon()
    expect(scene.reports.filter((line) => line.startsWith('ended'))).toHaveLength(1)
  })

  test('a second answer to a join is ignored', async () => {
    const scene = stage()
    scene.session.start()
    const first = scene.calls[0]
    await scene.clock.advance(5 * TIMEOUT_MS + 15)
    first?.answer(JOINED)
    await scene.clock.settle()
    scene.session.abandon()
    await answer(scene, { epoch: 8, token: 'u', time: 99_000, leaseTtlMs: 5 })
    expect(scene.reports.filter((line) => line.startsWith('opened'))).toEqual(['opened 7'])
    expect(scene.session).toMatchObject({ leaseTtlMs: 1_000, epoch: 7 })
  })
})
