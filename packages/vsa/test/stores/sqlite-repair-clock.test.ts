import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { open, type VsaEvent } from '../../src/index.ts'
import type { RowPolicy } from '../../src/core/exchange.ts'
import type { Store } from '../../src/core/store.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { type ClockRepair, repairClock } from '../../src/stores/sqlite/repair-clock.ts'
import { manualClock } from '../../src/testing/index.ts'
import { applied, batch, closing, entry, fault, newPath } from './sqlite-fixture.ts'

const DAY_MS = 86_400_000
const TEN_YEARS_MS = 3_653 * DAY_MS
const NOW = Date.UTC(2026, 10, 26)

/** A store whose clock reads `now.ms`, or is `aheadMs` ahead of it. */
function opened(path: string, now: { ms: number }, aheadMs = 0): Store {
  return closing(sqlite(path, { thread: false, driver: 'libsql', now: () => now.ms + aheadMs }))
}

function repair(path: string, to: number): Promise<ClockRepair> {
  return repairClock(path, { to, driver: 'libsql' })
}

/** 5 units until `endsAt`. */
function window(endsAt: number, keptMs: number): RowPolicy {
  return { kind: 'window', limit: 5, burnMax: 5, version: 1, endsAt, keepUntil: endsAt + keptMs }
}

describe('a clock ten years ahead', () => {
  it('S1, S10: store time is set back to the right time, and goes on with it', async () => {
    const path = newPath()
    const now = { ms: NOW }
    const [right, wrong] = [opened(path, now), opened(path, now, TEN_YEARS_MS)]
    const owner = await right.join('right')
    await right.exchange(batch(owner, 1, { entries: [entry({ hold: 4 })] }))
    await (await wrong.join('wrong'), wrong.close())
    expect((await right.exchange(batch(owner, 2))).time).toBe(NOW + TEN_YEARS_MS)
    now.ms += 5
    expect(await repair(path, now.ms)).toEqual({ before: NOW + TEN_YEARS_MS, after: now.ms, earliest: 0 })
    const answer = applied(await right.exchange(batch(owner, 3, { entries: [entry({ known: true, hold: 4 })] })))
    expect(answer).toMatchObject({ time: now.ms, entries: [{ held: 4, burned: 0 }] })
    now.ms += 1_000
    expect((await right.exchange(batch(owner, 4))).time).toBe(now.ms)
    // The dead process expires by the right time.
    expect((await right.owners()).every(({ expiresAt }) => expiresAt <= now.ms + 10_000)).toBe(true)
    expect(await repair(path, now.ms)).toEqual({ before: now.ms, after: now.ms, earliest: 0 })
  })

  it('S1: a right time that is later than store time changes nothing: store time is never taken ahead', async () => {
    const path = newPath()
    const store = opened(path, { ms: NOW })
    await store.join('a')
    expect(await repair(path, NOW + DAY_MS)).toEqual({ before: NOW, after: NOW, earliest: 0 })
    expect((await store.join('b')).time).toBe(NOW)
  })

  it('S1: a handle whose clock is a little behind the repaired time does not take it ahead again', async () => {
    const path = newPath()
    const now = { ms: NOW }
    const [right, wrong] = [opened(path, now), opened(path, now, TEN_YEARS_MS)]
    const owner = await right.join('right')
    await (await wrong.join('wrong'), wrong.close())
    await right.exchange(batch(owner, 1))
    await repair(path, NOW + 3)
    expect((await right.exchange(batch(owner, 2))).time).toBe(NOW + 3)
  })

  it('S4, S10, L1: store time goes back no further than to where no removed row can be made again', async () => {
    const path = newPath()
    const now = { ms: NOW }
    const wrong = opened(path, now, TEN_YEARS_MS)
    const endsAt = NOW + 30 * DAY_MS
    const right = opened(path, now)
    const first = await right.join('right')
    const row = entry({ key: 'month', period: NOW, policy: window(endsAt, 400 * DAY_MS) })
    const spent = applied(await right.exchange(batch(first, 1, { entries: [row], takes: [{ need: [[0, 1]], n: 9 }] })))
    expect(spent.granted).toEqual([5])
    const owner = await wrong.join('wrong')
    // The only process: after one lease lifetime nothing tells it from the right one.
    now.ms += 10_001
    await wrong.exchange(batch(owner, 1))
    expect((await wrong.list({ limit: 9 })).rows).toEqual([])
    expect(await repair(path, now.ms)).toMatchObject({ after: endsAt + 60_000, earliest: endsAt + 60_000 })
    const again = applied(
      await right.exchange(batch(await right.join('right'), 1, { entries: [row], takes: [{ need: [[0, 1]], n: 9 }] })),
    )
    expect(again).toMatchObject({ granted: [0], entries: [{ kind: 'period_closed' }] })
  })

  it('O11, S10: an engine reports the leap, and after the repair it goes back to the present period', async () => {
    const path = newPath()
    const clock = manualClock({ start: NOW })
    const now = { get ms() { return clock.now() } } // prettier-ignore
    const events: VsaEvent[] = []
    const store = opened(path, now)
    const vsa = open({ store, clock, onEvent: (event) => events.push(event) })
    const calls = vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 50 })
    const before = await calls.decide(3)
    expect(before.period).toBe(Date.UTC(2026, 10, 1))
    const wrong = opened(path, now, TEN_YEARS_MS)
    await (await wrong.join('wrong'), wrong.close())
    await clock.advance(4_000)
    expect(events.filter(({ type }) => type === 'clock_leap')).toMatchObject([
      { byMs: expect.closeTo(TEN_YEARS_MS, -4) as number, time: expect.closeTo(NOW + TEN_YEARS_MS, -4) as number },
    ])
    expect((await calls.decide(4)).period).toBe(Date.UTC(2036, 10, 1))
    await clock.advance(100)
    await repair(path, clock.now())
    // It learns the time from its next exchange.
    vsa.counter('any').add()
    await clock.advance(1_000)
    expect((await calls.decide(5)).period).toBe(before.period)
    await clock.advance(1_000)
    expect(await calls.peek()).toMatchObject({ used: 8, burned: 0 })
    await vsa.close()
    expect(events.filter(({ type }) => type !== 'joined').map(({ type }) => type)).toEqual(['clock_leap'])
  })
})

it('a repair makes no store: a missing file and an empty one are refused', async () => {
  const path = newPath()
  await expect(repair(path, NOW)).rejects.toMatchObject(fault('store_failed'))
  writeFileSync(path, '')
  await expect(repair(path, NOW)).rejects.toMatchObject(fault('not_a_database'))
  await expect(repair(path, 0.5)).rejects.toThrow(RangeError)
})
