import { join } from 'node:path'
import { expect, test } from 'vitest'
import { usage } from '../../src/cli/usage.ts'
import { why } from '../../src/cli/why.ts'
import { type Budget, type DurableReserve, open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { aFolder, tamper } from './store-fixture.ts'

const NOON = Date.parse('2026-03-15T12:00:00Z')
const MINUTE_MS = 60_000

/** A store whose one budget of 100 credits was used by `work`. */
async function credits(work: (budget: Budget) => Promise<unknown>): Promise<string> {
  const path = join(aFolder(), 'store.db')
  const vsa = open({ store: sqlite(path, { thread: false, now: () => NOON }), onEvent: () => undefined })
  await work(vsa.budget('credits', { initial: 100 }))
  await vsa.close()
  return path
}

function kept(id: string, minutes: number, onExpire: DurableReserve['onExpire'] = 'return'): DurableReserve {
  return { id, ttlMs: minutes * MINUTE_MS, onExpire }
}

test('R2: what is left is reserved: by which ids, the largest first, and when they end', async () => {
  const path = await credits(async (budget) => {
    await budget.admit(10, { id: 'no-reservation' })
    await budget.reserve(30, kept('small', 5))
    await budget.reserve(60, kept('large\u001b', 10, 'capture'))
  })
  const { json, text } = await why(path, 'credits', NOON, 'UTC')
  expect(json).toMatchObject({
    reason: 'reserved',
    used: 10,
    reserved: 90,
    reservations: [
      { id: 'large\u001b', charged: 60, state: 'open', expiresAt: NOON + 10 * MINUTE_MS, onExpire: 'capture' },
      { id: 'small', charged: 30, state: 'open', expiresAt: NOON + 5 * MINUTE_MS, onExpire: 'return' },
    ],
    reservationCount: 2,
    unreadableReservations: 0,
    moreAt: NOON + 5 * MINUTE_MS,
  })
  expect(text).toMatch(
    /^credits: its pool is empty, and 90 units are reserved\. The first that gives its units back ends at 2026-03-15T12:05:00Z\./,
  )
  expect(text).toMatch(/reserved +90 +by 2 reservations\n/)
  expect(text).toMatch(
    /large\\u\{1b\} .* 60 .*2026-03-15T12:10:00Z +captured\nsmall .* 30 .*2026-03-15T12:05:00Z +returned$/,
  )
})

test('R2: a request for more than the pool is denied because of what is reserved', async () => {
  const path = await credits((budget) => budget.reserve(99, kept('one', 5, 'capture')))
  const { json, text } = await why(path, 'credits', NOON, 'UTC')
  expect(json).toMatchObject({ reason: 'available', reservations: [{ id: 'one' }], moreAt: null })
  expect(text).toContain('A request for more than 1 is denied: 99 units are reserved.')
})

test('R3: nothing is returned by itself: when they are settled with less', async () => {
  const path = await credits((budget) => budget.reserve(100, kept('one', 5, 'capture')))
  const { json, text } = await why(path, 'credits', NOON, 'UTC')
  expect(json).toMatchObject({ reason: 'reserved', moreAt: null })
  expect(text).toContain('They come back as far as the reservations are settled with less.')
})

test('R2: five are named, and the others are counted; what is settled, and what cannot be read, is no part of it', async () => {
  const path = await credits(async (budget) => {
    for (let units = 1; units <= 7; units += 1) await budget.reserve(units, kept(`of-${units}`, 5))
    await (await budget.reserve(40, kept('settled', 5)))?.settle(40)
    await budget.reserve(32, kept('bad', 5))
  })
  await tamper(path, "UPDATE reservation SET lots = '[]' WHERE id = 'bad'")
  const { json, text } = await why(path, 'credits', NOON, 'UTC')
  expect(json).toMatchObject({ reason: 'reserved', reserved: 60, reservationCount: 7, unreadableReservations: 1 })
  expect(json).toMatchObject({ reservations: [7, 6, 5, 4, 3].map((units) => ({ id: `of-${units}`, charged: units })) })
  expect(text).toContain(
    '... and 2 smaller reservations: see vsa inspect\n1 reservation cannot be read: see vsa verify',
  )
})

test('R2: usage has what is reserved beside what is used', async () => {
  const path = await credits(async (budget) => {
    await budget.admit(10)
    await budget.reserve(30, kept('one', 5))
  })
  const options = { isCsv: false, rowsMax: 50, timeZone: 'UTC' }
  expect((await usage(path, undefined, { ...options, isCsv: true })).text).toBe(
    'key,from,to,limit,minted,used,reserved,burned,leased\ncredits,,,100,100,10,30,0,0',
  )
  const { json, text } = await usage(path, 'credits', options)
  expect(json).toMatchObject({ usage: [{ key: 'credits', used: 10, reserved: 30 }] })
  expect(text).toMatch(/credits +- +- +100 +100 +10 +30 +0 +0$/)
})
