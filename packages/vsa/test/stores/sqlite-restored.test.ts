import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { open, type VsaEvent } from '../../src/index.ts'
import type { Store } from '../../src/core/store.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { applied, batch, closing, entry, initial, newPath } from './sqlite-fixture.ts'

const SEATS = entry({ policy: { ...initial, limit: 4 } })
const SEAT = { entries: [{ ...SEATS, known: true }], takes: [{ need: [[0, 1]], n: 1 }] } as const

/** A store that can be restored from its backup while owners go on: each call opens the file anew. */
class Restorable {
  readonly #path = newPath()
  readonly #backup = newPath()
  readonly #now: () => number
  #store: Store

  constructor(now: () => number = () => 1_000_000) {
    this.#now = now
    this.#store = this.#opened()
  }

  get store(): Store {
    return this.#store
  }

  async backUp(): Promise<void> {
    await this.#store.close()
    copy(this.#path, this.#backup)
  }

  async restore(): Promise<void> {
    await this.#store.close()
    for (const end of ['', '-wal', '-shm']) rmSync(this.#path + end, { force: true })
    copy(this.#backup, this.#path)
    this.#store = this.#opened()
  }

  #opened(): Store {
    return closing(sqlite(this.#path, { thread: false, driver: 'libsql', now: this.#now }))
  }
}

/** By another process: libsql keeps a closed file open for a while, and reading it in this process would drop its locks. */
function copy(from: string, to: string): void {
  execFileSync('cp', [from, to])
}

describe('a backup that is restored while owners live', () => {
  it('L1, L3, S2: an epoch that is given again is another owner’s, and its batches are no replays', async () => {
    const file = new Restorable()
    await file.store.join('first')
    await file.backUp()
    const a = await file.store.join('a')
    await file.store.exchange(batch(a, 1, { entries: [SEATS] }))
    await file.restore()
    const b = await file.store.join('b')
    expect(b.epoch).toBe(a.epoch)
    await file.store.exchange(batch(b, 1, { entries: [SEATS] }))
    // B sells all seats at the seq at which A asks for one.
    const sold = await file.store.exchange(batch(b, 2, { ...SEAT, takes: [{ need: [[0, 1]], n: 4 }] }))
    expect(applied(sold).granted).toEqual([4])
    expect(await file.store.exchange(batch(a, 2, SEAT))).toMatchObject({ kind: 'fenced', last: null, forgot: true })
    // Nor is B fenced, renewed or closed by A.
    expect(await file.store.exchange(batch(a, 3, { close: true }))).toMatchObject({ kind: 'fenced', forgot: true })
    expect(applied(await file.store.exchange(batch(b, 3, SEAT))).granted).toEqual([0])
  })

  it('L1, O5: an engine whose batch meets the restored store is not told of the other owner’s grant, and reports it', async () => {
    const clock = manualClock()
    const file = new Restorable(() => clock.now())
    await file.store.join('first')
    await file.backUp()
    const events: VsaEvent[] = []
    let isCut = false
    const wire: Store = {
      capabilities: file.store.capabilities,
      join: (label) => file.store.join(label),
      exchange: (sent) => (isCut ? new Promise(() => undefined) : file.store.exchange(sent)),
      read: (names) => file.store.read(names),
      list: (range) => file.store.list(range),
      owners: () => file.store.owners(),
      close: () => file.store.close(),
    }
    const a = open({ store: wire, clock, random: () => 0.5, onEvent: (event) => events.push(event) })
    const seats = a.budget('seats', { initial: 4 })
    expect(await seats.admit()).toBe(true)
    isCut = true
    const asked = seats.admit().catch((error: unknown) => error)
    await clock.advance(100)
    await file.restore()
    const b = open({ store: file.store, clock, random: () => 0.5, onEvent: () => undefined })
    const others = b.budget('seats', { initial: 4 })
    expect(await others.admit()).toBe(true)
    expect(b.stats().epoch).toBe(2)
    expect(await others.admit(3)).toBe(true)
    isCut = false
    await clock.advance(4_000)
    expect(await asked).toMatchObject({ applied: 'unknown' })
    expect(events.filter(({ type }) => type === 'store_forgot')).toMatchObject([{ epoch: 2 }])
    expect(a.stats().epoch).toBe(3)
    expect(await seats.admit()).toBe(false)
  })
})
