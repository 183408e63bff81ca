import { join } from 'node:path'
import { expect, test } from 'vitest'
import { setClockBack } from '../../src/cli/repair-clock.ts'
import { open } from '../../src/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { vsa } from './run-cli.ts'
import { aFolder } from './store-fixture.ts'

const NOW = Date.parse('2026-11-26T12:00:00Z')
const IN_2036 = Date.parse('2036-11-26T12:00:00Z')

/** A store that was joined by a process whose clock showed `at`. */
async function joinedAt(at: number): Promise<string> {
  const path = join(aFolder(), 'store.db')
  const store = sqlite(path, { thread: false, now: () => at })
  await store.join('the test')
  await store.close()
  return path
}

test('S1: a store that is ten years ahead is set back to the clock of this machine', async () => {
  const path = await joinedAt(IN_2036)
  const { ok, json, text } = await setClockBack(path, NOW)
  expect(ok).toBe(true)
  expect(json).toEqual({ ok: true, store: path, before: IN_2036, after: NOW, earliest: 0, now: NOW })
  expect(text).toContain('store time was 2036-11-26T12:00:00Z, and is 2026-11-26T12:00:00Z now.')
  expect(text).toMatch(/Stop the process whose clock is wrong, or set its clock/)
  const again = await setClockBack(path, NOW + 5)
  expect(again).toMatchObject({ ok: true, json: { before: NOW, after: NOW } })
  expect(again.text).toContain('store time is not ahead, and nothing was changed')
})

test('a missing file and a file that is no store are errors', async () => {
  await expect(setClockBack(join(aFolder(), 'none.db'), NOW)).rejects.toMatchObject({ code: 'no_such_file' })
})

test('S1: vsa repair-clock, as built', async () => {
  const path = await joinedAt(IN_2036)
  const { code, stdout, stderr } = await vsa('repair-clock', path, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, before: IN_2036 })
  const repaired = (await vsa('repair-clock', path)).stdout
  expect(repaired).toContain('nothing was changed')
})

test('S4 S10: a store that must stay ahead is reported, with the reason, and exits 1', async () => {
  const path = join(aFolder(), 'store.db')
  const now = { ms: NOW }
  const store = sqlite(path, { thread: false, now: () => now.ms, upkeepEveryMs: 0 })
  const owner = open({ store, clock: manualClock({ start: NOW }), onEvent: () => undefined })
  await owner.budget('minute', { limit: 5, per: 'minute' }).admit()
  await owner.close()
  now.ms = IN_2036
  const wrong = sqlite(path, { thread: false, now: () => now.ms, upkeepEveryMs: 0 })
  await wrong.join('the clock is wrong')
  // Rows go when a lease lifetime has passed since the leap.
  now.ms += 10_001
  await wrong.join('and stays wrong')
  expect((await wrong.list({ limit: 9 })).rows).toEqual([])
  await wrong.close()
  const { ok, json, text } = await setClockBack(path, NOW)
  expect(json).toMatchObject({ before: IN_2036 + 10_001, after: NOW + 120_000, earliest: NOW + 120_000 })
  expect(ok).toBe(false)
  expect(text.replaceAll('\n', ' ')).toContain(
    'It is still ahead of this machine, 2026-11-26T12:00:00Z: rows of periods up to 2026-11-26T12:02:00Z were removed',
  )
})
