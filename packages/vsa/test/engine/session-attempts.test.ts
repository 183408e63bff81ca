import { describe, expect, test } from 'vitest'
import type { StoreError } from '../../src/core/errors.ts'
import type { Store } from '../../src/core/store.ts'
import { Session } from '../../src/engine/session/session.ts'
import { Metrics } from '../../src/engine/runtime/metrics.ts'
import { manualClock } from '../../src/testing/index.ts'
import {
  type Call,
  DOWN,
  JOINED,
  TIMEOUT_MS,
  answer,
  applied,
  fail,
  gaps,
  joined,
  sent,
  stage,
  type Stage,
} from './session-fixture.ts'

/** A batch is settled by its second attempt, and the next one is in flight. `first` is the first attempt of the settled one. */
async function settledLate(): Promise<{ scene: Stage; first: Call | undefined }> {
  const scene = stage()
  await joined(scene)
  await sent(scene)
  const first = scene.calls.at(-1)
  await scene.clock.advance(TIMEOUT_MS + 15)
  await answer(scene, applied(6_000))
  await sent(scene)
  return { scene, first }
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
    const { scene, first } = await settledLate()
    first?.fail(DOWN)
    await scene.clock.settle()
    expect(scene.session).toMatchObject({ state: 'sending', lastError: null })
  })

  test('O2: a late answer to a settled batch does not cancel the time limit of the next one', async () => {
    const { scene, first } = await settledLate()
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
