import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inspect } from '../../src/cli/inspect.ts'
import { verify } from '../../src/cli/verify.ts'
import { open } from '../../src/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { aFolder, aReservedStore, aStore, tamper } from './store-fixture.ts'

const OPTIONS = { rowsMax: 50, timeZone: 'UTC' }

test('without a key it lists budgets, owners and counters', async () => {
  const path = await aStore(aFolder())
  const { ok, json, text } = await inspect(path, undefined, OPTIONS)
  expect(ok).toBe(true)
  expect(json).toMatchObject({
    store: path,
    budgets: [
      { key: 'concert-42', used: 7, pool: 473, leased: 20, leases: [{ epoch: 1, leased: 20 }] },
      { key: 'concert-43', used: 7, pool: 473, leased: 20, leases: [{ epoch: 1, leased: 20 }] },
    ],
    owners: [{ epoch: 1, label: 'the test', state: 'open', seq: 2 }],
    counters: [{ key: 'likes', value: 42 }],
  })
  expect(text).toMatch(/Budgets: 2\n.*\nconcert-42 +- +- +500 +500 +7 +473 +0 +20 +1\n/)
  expect(text).toContain('the test')
  expect(text).toMatch(/likes +42/)
  expect(text).not.toContain('To list the reservations')
})

test('with a key it lists the periods and leases of that budget', async () => {
  const path = await aStore(aFolder())
  const { json, text } = await inspect(path, 'concert-43', OPTIONS)
  expect(json).toMatchObject({ budgets: [{ key: 'concert-43' }], counters: [] })
  expect(text).toMatch(/Leases: 1\n.*\n- +- +20 +1 +the test/)
  expect(text).not.toContain('concert-42')
})

test('R1: with a key it lists the reservations of that budget, and what they have of it', async () => {
  const path = await aReservedStore(aFolder())
  const { json, text } = await inspect(path, 'concert-43', OPTIONS)
  const rest = { refunded: null, onExpire: 'capture' }
  expect(json).toMatchObject({
    budgets: [{ key: 'concert-43', reserved: 5, used: 2 }],
    reservations: [
      { id: 'ad\u001bmitted', as: 'admission', state: 'final', units: 2, charged: 2, expiresAt: null, ...rest },
      { id: 'both', as: 'reservation', state: 'open', units: 5, charged: 5, expiresAt: 1_800_000_060_000, ...rest },
    ],
    unreadableReservations: [],
  })
  expect(text).toMatch(/reserved/)
  expect(text).toMatch(/Reservations: 2\n/)
  expect(text).toContain(String.raw`ad\u{1b}mitted  admission    final`)
  expect(text).toMatch(/both +reservation +open +5 +5 +- +2027-01-15T08:01:00Z +captured/)
  expect((await inspect(path, 'concert-42', OPTIONS)).text).toMatch(/one +reservation +open +3 +3 +- +\S+ +returned/)
  const whole = await inspect(path, undefined, OPTIONS)
  expect(whole.text).not.toContain('Reservations')
  expect(whole.text).toContain('Units are reserved. To list the reservations of a key: vsa inspect <store> <key>')
  expect(text).not.toContain('To list the reservations')
  await tamper(path, "UPDATE reservation SET lots = '[]' WHERE id = 'both'")
  const damaged = await inspect(path, 'concert-43', OPTIONS)
  expect([damaged.ok, damaged.json]).toMatchObject([
    false,
    { reservations: [{ units: 2 }], unreadableReservations: [{ key: 'concert-42', id: 'both' }] },
  ])
  expect(damaged.text).toMatch(/Reservations that cannot be read: 1\n/)
})

test('a key may name only a counter', async () => {
  const { json } = await inspect(await aStore(aFolder()), 'likes', OPTIONS)
  expect(json).toMatchObject({ budgets: [], owners: [], counters: [{ key: 'likes', value: 42 }] })
})

test('an unknown key is an error', async () => {
  await expect(inspect(await aStore(aFolder()), 'concert-44', OPTIONS)).rejects.toMatchObject({ code: 'unknown_key' })
})

test('text output reports the number of omitted rows, and JSON has all rows', async () => {
  const { json, text } = await inspect(await aStore(aFolder()), undefined, { ...OPTIONS, rowsMax: 1 })
  expect(text).toContain('... and 1 more budget: see --rows')
  expect(json).toMatchObject({ budgets: [{}, {}] })
})

test('a period is shown with its start and its end, in UTC or in the zone that is asked for', async () => {
  const path = join(aFolder(), 'store.db')
  const store = sqlite(path, { thread: false, now: () => Date.parse('2026-03-15T12:00:00Z') })
  // An idle lease is not given back before it has been looked at.
  const vsa = open({ store, flushIntervalMs: 2_500, onEvent: () => undefined })
  await vsa.budget('berlin', { limit: 10, per: 'month', timeZone: 'Europe/Berlin' }).admit()
  await vsa.flush()
  const utc = (await inspect(path, 'berlin', OPTIONS)).text
  expect(utc).toMatch(/^berlin +2026-02-28T23:00:00Z +2026-03-31T22:00:00Z +10 /m)
  expect(utc).toMatch(/Leases: 1\n.*\n2026-02-28T23:00:00Z +2026-03-31T22:00:00Z /)
  const local = (await inspect(path, 'berlin', { ...OPTIONS, timeZone: 'Europe/Berlin' })).text
  expect(local).toMatch(/^berlin +2026-03-01T00:00:00\+01:00 +2026-04-01T00:00:00\+02:00 +10 /m)
  expect(local).toMatch(/open +2026-03-15T13:00:00\+01:00 /)
  await vsa.close()
})

test('keys and labels cannot control the terminal', async () => {
  const path = join(aFolder(), 'store.db')
  const vsa = open({ store: sqlite(path, { thread: false }), label: 'label\u0085\u200f', onEvent: () => undefined })
  const key = `key\u0000\u001b[31m\u007f\u009b\u061c\u202e\u2028\u2066`
  await vsa.budget(key, { initial: 5 }).admit(2)
  vsa.counter(`${key} counter`).add(1)
  await vsa.close()
  const { text } = await inspect(path, undefined, OPTIONS)
  expect(text).toContain(String.raw`key\u{0}\u{1b}[31m\u{7f}\u{9b}\u{61c}\u{202e}\u{2028}\u{2066} counter`)
  expect(text).toContain(String.raw`label\u{85}\u{200f}`)
  await tamper(path, 'UPDATE budget SET used = used + 1')
  for (const shown of [text, (await inspect(path, key, OPTIONS)).text, (await verify(path)).text]) {
    expect(shown).toContain(String.raw`\u{9b}`)
    expect(shown).toMatch(/^[\u0020-\u007e\n]+$/)
  }
})

test('a row that cannot be read is named, and does not hide the others', async () => {
  const path = await aStore(aFolder())
  await tamper(path, "UPDATE budget SET used = 9223372036854775000 WHERE key = 'concert-42'")
  const { ok, json, text } = await inspect(path, undefined, OPTIONS)
  expect(ok).toBe(false)
  expect(json).toMatchObject({ budgets: [{ key: 'concert-43' }], unreadable: [{ key: 'concert-42', period: 0 }] })
  expect(text).toMatch(/Rows that cannot be read: 1\n.*\nconcert-42 +- +.*9223372036854775/)
  expect(await inspect(path, 'concert-42', OPTIONS)).toMatchObject({ ok: false, json: { budgets: [] } })
  expect(await inspect(path, 'concert-43', OPTIONS)).toMatchObject({ ok: true, json: { unreadable: [] } })
})
