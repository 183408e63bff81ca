import { describe, expect, test } from 'vitest'
import { StoreError } from '../../src/core/errors.ts'
import {
  CONTENT,
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
} from './session-fixture.ts'

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
      await answer(scene, { kind: 'fenced', time: JOINED.time + ms, last: null, forgot: true, gone: [] })
      expect(scene.events.filter(({ type }) => type === 'store_forgot')).toHaveLength(times)
      expect(scene.reports.at(-1)).toBe('fenced 1 unknown')
    },
  )

  test('S2: an epoch that was reaped is not reported as forgotten', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    const outcome = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } }
    await answer(scene, { kind: 'fenced', time: 6_000, last: { seq: 0, outcome }, forgot: false, gone: [] })
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
    await answer(scene, { kind: 'fenced', time: 6_000, last: { seq: 0, outcome }, forgot: false, gone: [] })
    expect(scene.reports.at(-1)).toBe('fenced 1 0')
    expect(scene.events.map(({ type }) => type)).not.toContain('store_forgot')
    await fail(scene, DOWN)
    await scene.clock.advance(15)
    expect(gaps(scene.calls).at(-1)).toBe(15)
    await answer(scene, { ...JOINED, epoch: 8 })
    await sent(scene)
    expect(scene.calls.at(-1)?.batch).toEqual({ epoch: 8, token: 't', incarnation: 'i', seq: 1, ...CONTENT })
  })

  test('S6: the batch without the row that does not balance goes out at once', async () => {
    const scene = stage()
    await joined(scene)
    await sent(scene)
    scene.rest = { ...CONTENT, entries: [{ kind: 'void' }] }
    await answer(scene, { kind: 'breach', time: 6_000, row: { key: 'a', period: 0 }, detail: 'minted is 0.5' })
    expect(scene.reports.at(-1)).toBe('voided 1 a minted is 0.5')
    expect(scene.calls.at(-1)?.batch).toEqual({ epoch: 7, token: 't', incarnation: 'i', seq: 1, ...scene.rest })
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
    await answer(scene, { ...JOINED, epoch: 8, token: 'u', time: 99_000, leaseTtlMs: 5 })
    expect(scene.reports.filter((line) => line.startsWith('opened'))).toEqual(['opened 7'])
    expect(scene.session).toMatchObject({ leaseTtlMs: 1_000, epoch: 7 })
  })
})
