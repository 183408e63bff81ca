import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Batch, BudgetEntry } from '../../src/core/exchange.ts'
import type { Store } from '../../src/core/store.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { loadDriver } from '../../src/stores/sqlite/client/driver.ts'

/** A temporary folder, removed after the test. */
export function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-cli-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store with two budgets of 500 units, 20 leased and 7 used, and a counter at 42. Its owner is alive. */
export async function aStore(folder: string): Promise<string> {
  const path = join(folder, 'store.db')
  const store = sqlite(path, { thread: false })
  await fill(store)
  onTestFinished(() => store.close())
  return path
}

/** Two budgets of 500 units: a reservation of 3 of the first, one of 4 and 5 of both, and an admission of 2 of the second. */
export async function aReservedStore(folder: string): Promise<string> {
  const path = join(folder, 'reserved.db')
  const store = sqlite(path, { thread: false, now: () => 1_800_000_000_000 })
  onTestFinished(() => store.close())
  const { epoch, token, incarnation } = await store.join('the test')
  const remember = { as: 'reservation', ttlMs: 60_000, onExpire: 'capture' } as const
  const takes = [
    { need: [[0, 3]] as const, n: 1, remember: { ...remember, id: 'one', onExpire: 'return' } as const },
    { need: [[0, 4] as const, [1, 5] as const], n: 1, remember: { ...remember, id: 'both' } },
    { need: [[1, 2]] as const, n: 1, remember: { ...remember, id: 'ad\u001bmitted', as: 'admission' } as const },
  ]
  const entries = ['concert-42', 'concert-43'].map((key) => ({ ...entryOf(key, epoch), hold: 0 }))
  await store.exchange({ epoch, token, incarnation, seq: 1, entries, takes, close: true })
  return path
}

/** Two budgets of 500 units, 20 leased and 7 used, and a counter at 42. */
export async function fill(store: Store): Promise<void> {
  const { epoch, token, incarnation } = await store.join('the test')
  const entries = ['concert-42', 'concert-43'].map((key) => entryOf(key, epoch))
  const batch: Batch = {
    epoch,
    token,
    incarnation,
    seq: 1,
    entries: [...entries, { kind: 'counter', key: 'likes', add: 42 }],
    takes: [],
    close: false,
  }
  await store.exchange(batch)
  await store.exchange({ ...batch, seq: 2, entries: entries.map((entry) => ({ ...entry, known: true, spent: 7 })) })
}

function entryOf(key: string, version: number): BudgetEntry {
  const policy = { kind: 'initial', limit: 500, burnMax: 25, version, endsAt: null, keepUntil: null } as const
  return { kind: 'budget', key, period: 0, known: false, policy, spent: 0, refund: 0, hold: 20, wantMs: 0 }
}

/** The address of a Postgres store, with a password. The server of the tests asks for none, so any is right. @param more of the query, from its `&` */
export function addressOn(url: string, schema: string, more = ''): string {
  const address = new URL(url)
  address.password ||= 'hunter2'
  return `${address.href}?schema=${encodeURIComponent(schema)}${more}`
}

/** Changes the file without the store. */
export async function tamper(path: string, sql: string): Promise<void> {
  const connection = (await loadDriver(undefined)).open(path)
  connection.exec(sql)
  connection.close()
}
