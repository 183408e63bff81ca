import { runInNewContext } from 'node:vm'
import { describe, expect, it, test } from 'vitest'
import type { Snapshot, UpkeepRows } from '../../src/core/adapter.ts'
import { changedAdapter } from '../../src/core/changed-adapter.ts'
import { StoreError } from '../../src/core/errors.ts'
import { ONE_INCARNATION } from '../../src/core/life.ts'
import type { Batch, BudgetEntry } from '../../src/core/exchange.ts'
import { storeFrom } from '../../src/store-from.ts'
import { MemoryAdapter } from '../../src/stores/memory/adapter.ts'
import { storeConformance } from '../../src/testing/index.ts'
import { seededRandom, wholeBetween } from '../../src/testing/random.ts'
import { asking, LEASE_TTL_MS, seats } from './books-fixture.ts'
import { turn, VersionedAdapter } from './versioned-adapter.ts'

const TOKEN = 'token'
const newToken = (): string => TOKEN

const batchOf = (epoch: number, seq: number, parts: Partial<Batch> = {}): Batch => ({
  ...{ epoch, token: TOKEN, incarnation: ONE_INCARNATION, seq, entries: [], takes: [], close: false },
  ...parts,
})

storeConformance(
  'a store with versions',
  ({ now, leaseTtlMs }) => {
    const adapter = new VersionedAdapter(now, leaseTtlMs)
    const random = seededRandom(1)
    const pause = async (tries: number): Promise<void> => {
      for (let turns = wholeBetween(random, 0, 8 * tries); turns > 0; turns -= 1) await turn()
    }
    const handle = (): ReturnType<typeof storeFrom> => storeFrom(adapter, { now, upkeepEveryMs: 0, pause })
    const store = handle()
    return { store, another: handle, dispose: () => store.close() }
  },
  { describe, it, expect },
  { sequences: 10 },
)

describe('a version conflict', () => {
  test('L1, L2, L3: 16 owners that conflict on one row are each applied once', async () => {
    const adapter = new VersionedAdapter(() => 1_000_000, LEASE_TTL_MS)
    const store = storeFrom(adapter, { newToken, now: () => 1_000_000 })
    const owners = await Promise.all(Array.from({ length: 16 }, () => store.join('test')))
    expect(new Set(owners.map(({ epoch }) => epoch)).size).toBe(16)
    const takes = [{ need: [[0, 3]] as const, n: 5 }]
    const entries = [asking('a', { policy: seats(200) })]
    const answers = await Promise.all(owners.map(({ epoch }) => store.exchange(batchOf(epoch, 1, { entries, takes }))))
    const granted = answers.map((answer) => (answer.kind === 'applied' ? (answer.granted[0] ?? 0) : -1))
    // 66 times 3 of 200.
    expect(granted.reduce((sum, count) => sum + count, 0)).toBe(66)
    const [row] = await store.read([{ key: 'a', period: 0 }])
    expect(row).toMatchObject({ minted: 200, used: 198, pool: 2 })
    expect(adapter.moved).toBeGreaterThan(16)
  })

  test('a conflict is retried after a pause, and ends in store_busy with nothing applied', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    const pauses: number[] = []
    const pause = async (tries: number): Promise<void> => void pauses.push(tries)
    const adapter = changedAdapter(memory, { loadJoin: () => ({ ...memory.loadJoin(), save: () => false }) })
    const joining = storeFrom(adapter, { newToken, now: () => 0, pause }).join('test')
    await expect(joining).rejects.toMatchObject({ code: 'store_busy', applied: 'no', transient: true })
    expect(pauses).toEqual(Array.from({ length: 99 }, (_, index) => index + 1))
    expect(memory.owners()).toEqual([])
  })
})

describe('one transaction', () => {
  test('a malformed batch releases the rows, and writes nothing', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    let released = 0
    const adapter = changedAdapter(memory, {
      loadExchange: (batch) => ({ ...memory.loadExchange(batch), release: () => void (released += 1) }),
    })
    const store = storeFrom(adapter, { newToken, now: () => 0 })
    const { epoch } = await store.join('test')
    await expect(store.exchange(batchOf(epoch, 0))).rejects.toThrow('batch.seq must be a positive integer')
    expect(released).toBe(1)
  })

  test('S2: an answer that changes nothing releases the rows and does not save', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    const ends: string[] = []
    const adapter = changedAdapter(memory, {
      loadExchange: (batch) => {
        const { save, release, ...rest } = memory.loadExchange(batch)
        return {
          ...rest,
          save: (writes) => (ends.push('save'), save(writes)),
          release: () => (ends.push('release'), release()),
        }
      },
    })
    const store = storeFrom(adapter, { newToken, now: () => 0 })
    const { epoch } = await store.join('test')
    for (const [batch, kind] of [
      [batchOf(epoch, 1), 'applied'],
      [batchOf(epoch, 1), 'replayed'],
      [batchOf(epoch, 9), 'lost'],
      [batchOf(epoch + 1, 1), 'fenced'],
    ] as const) {
      expect((await store.exchange(batch)).kind).toBe(kind)
    }
    expect(ends).toEqual(['save', 'save', 'release', 'release'])
  })

  test('a synchronous adapter completes in the turn of the call', () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    const store = storeFrom(memory, { newToken, now: () => 0 })
    const calls = [store.join('one'), store.join('two')]
    expect(memory.owners().map(({ label }) => label)).toEqual(['one', 'two'])
    return Promise.all(calls)
  })
})

describe('the pace of upkeep', () => {
  test('S8: upkeep runs after each join, and before an exchange every 100 ms', async () => {
    const { store, upkeeps, clock } = paced()
    const { epoch } = await store.join('test')
    expect(upkeeps()).toBe(1)
    const after: number[] = []
    for (const [seq, ms] of [0, 99, 1, 50, 50].entries()) {
      clock.now += ms
      await store.exchange(batchOf(epoch, seq + 1))
      after.push(upkeeps())
    }
    expect(after).toEqual([1, 1, 2, 2, 3])
    clock.now -= 3_600_000
    await store.exchange(batchOf(epoch, 6))
    expect(upkeeps()).toBe(4)
  })

  test('S10: upkeep runs before each exchange while more rows are to be removed than one call removes', async () => {
    const { store, upkeeps, clock, adapter } = paced(2)
    const { epoch } = await store.join('test')
    await store.exchange(batchOf(epoch, 1, { entries: pastRows(9, clock.now) }))
    clock.now += PAST_MS
    const before = upkeeps()
    const left: number[] = []
    for (let seq = 2; seq <= 7; seq += 1) {
      await store.exchange(batchOf(epoch, seq))
      left.push(adapter.list({ limit: 99 }).rows.length)
    }
    // First two and the nine that were made since the last upkeep; it may be behind, and the next call finds nothing.
    expect(left).toEqual([0, 0, 0, 0, 0, 0])
    expect(upkeeps() - before).toBe(1)
  })

  test('S10: of two upkeeps at the same time, one removes the rows that were made, and no bound goes below its least', async () => {
    const bounds: number[] = []
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    const slow = changedAdapter(memory, {
      loadUpkeep: async (asked) => {
        bounds.push(asked.rowsMax)
        await turn()
        return memory.loadUpkeep(asked)
      },
    })
    const store = storeFrom(slow, { newToken, now: () => 0, upkeepRowsMax: 2 })
    const joined = await store.join('test')
    await store.exchange(batchOf(joined.epoch, 1, { entries: pastRows(9, 1_000_000) }))
    const caller = { ...joined, seq: 1 }
    bounds.length = 0
    await Promise.all([store.upkeep?.(caller), store.upkeep?.(caller)])
    await store.upkeep?.(caller)
    expect(bounds).toEqual([11, 2, 2])
  })

  test('S10, L8: a backlog is removed by slices of 200 and as many as were made, so that no exchange waits for all of it', async () => {
    const { store, clock, adapter, removed } = paced()
    const { epoch } = await store.join('test')
    let seq = 0
    for (let period = 0; period < 5; period += 1) {
      const entries = pastRows(1_000, clock.now + period)
      await store.exchange(batchOf(epoch, (seq += 1), { entries }))
    }
    // Another handle, as after a restart, has made none of them.
    const other = storeFrom(adapter, { newToken, now: () => clock.now })
    const next = await other.join('other')
    clock.now += PAST_MS
    removed.length = 0
    let turns = 0
    for (; adapter.list({ limit: 9_999 }).rows.length > 0; turns += 1) {
      expect(turns).toBeLessThan(40)
      await store.exchange(batchOf(epoch, (seq += 1)))
      await other.exchange(batchOf(next.epoch, turns + 1))
    }
    expect(Math.max(...removed)).toBeLessThanOrEqual(5_200)
    expect(removed.slice(1).every((rows) => rows <= 200)).toBe(true)
  })

  test('S8, L8: dead leases burn by slices at the pace of upkeep, and keep no exchange waiting', async () => {
    const { store, upkeeps, clock, adapter } = paced(2)
    const dead = await store.join('dead')
    const names = Array.from({ length: 9 }, (_, index) => `k${index}`)
    const entries = names.map((name) => asking(name, { policy: seats(2), hold: 1 }))
    await store.exchange(batchOf(dead.epoch, 1, { entries }))
    clock.now += LEASE_TTL_MS + 1
    const { epoch } = await store.join('test')
    const before = upkeeps()
    const left: number[] = []
    for (let seq = 1; seq <= 6; seq += 1) {
      await store.exchange(batchOf(epoch, seq))
      left.push(adapter.list({ limit: 99 }).rows.filter(({ leases }) => leases.length > 0).length)
      clock.now += 50
    }
    // Two by the join, and then two each 100 ms.
    expect(left).toEqual([7, 7, 5, 5, 3, 3])
    expect(upkeeps() - before).toBe(2)
  })

  test('S8, S10: the call that finds a dead owner burns its leases and removes their rows, because another call may not come', async () => {
    const { store, clock, adapter } = paced()
    const dead = await store.join('dead')
    const entries = pastRows(3, clock.now).map((entry) => ({ ...entry, hold: 1 }))
    await store.exchange(batchOf(dead.epoch, 1, { entries }))
    const { epoch } = await store.join('test')
    clock.now += PAST_MS
    await store.exchange(batchOf(epoch, 1))
    expect(adapter.list({ limit: 99 }).rows).toEqual([])
  })

  test('S8: an upkeep whose writes are lost ends after three steps: it does not go on for ever', async () => {
    const memory = new MemoryAdapter(() => clock.now, LEASE_TTL_MS)
    const clock = { now: 1_000_000 }
    let steps = 0
    const adapter = changedAdapter(memory, {
      loadUpkeep: (bounds) => ((steps += 1), { ...memory.loadUpkeep(bounds), save: () => true }),
    })
    const store = storeFrom(adapter, { newToken, now: () => clock.now })
    const dead = await store.join('dead')
    await store.exchange(batchOf(dead.epoch, 1, { entries: [asking('k', { policy: seats(2), hold: 1 })] }))
    const { epoch } = await store.join('test')
    clock.now += LEASE_TTL_MS + 1
    steps = 0
    await store.exchange(batchOf(epoch, 1))
    expect(steps).toBe(3)
  })

  test('a failure of upkeep is the failure of the exchange, with nothing applied', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    let failure: StoreError | null = null
    const adapter = changedAdapter(memory, {
      loadUpkeep: (bounds) => {
        if (failure !== null) throw failure
        return memory.loadUpkeep(bounds)
      },
    })
    const store = storeFrom(adapter, { newToken, now: () => 0, upkeepEveryMs: 0 })
    const { epoch } = await store.join('test')
    failure = new StoreError('store_failed', 'the disk', { applied: 'unknown', transient: true })
    const failed = store.exchange(batchOf(epoch, 1))
    await expect(failed).rejects.toMatchObject({ code: 'store_failed', applied: 'no', transient: true })
    failure = null
    expect((await store.exchange(batchOf(epoch, 1))).kind).toBe('applied')
  })

  test('S2: a join whose epoch is durable does not fail with the upkeep behind it, which the next exchange tries again', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    let isBroken = true
    let upkeeps = 0
    const broken = (): Snapshot<UpkeepRows> => {
      throw new StoreError('store_busy', 'locked', { applied: 'no', transient: true })
    }
    const adapter = changedAdapter(memory, {
      loadUpkeep: (bounds) => ((upkeeps += 1), isBroken ? broken() : memory.loadUpkeep(bounds)),
    })
    const store = storeFrom(adapter, { newToken, now: () => 0 })
    const { epoch } = await store.join('test')
    expect(memory.owners()).toHaveLength(1)
    isBroken = false
    await store.exchange(batchOf(epoch, 1))
    expect(upkeeps).toBe(2)
  })
})

describe('promises of an adapter', () => {
  /** The `Promise` of another realm, whose promises are no instances of this one. */
  const Foreign = runInNewContext('Promise') as PromiseConstructor

  test('S7: a promise of another realm is waited for, and its failure is the failure of the call', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    const full = new StoreError('disk_full', 'full', { applied: 'no', transient: false })
    const adapter = changedAdapter(memory, {
      loadJoin: () => ({ ...memory.loadJoin(), save: () => Foreign.reject(full) }),
    })
    await expect(storeFrom(adapter, { newToken, now: () => 0 }).join('test')).rejects.toBe(full)
  })

  test('calls that are made before `close` come before it, also while the client is loaded', async () => {
    const memory = new MemoryAdapter(() => 1_000_000, LEASE_TTL_MS)
    const calls: string[] = []
    const adapter = changedAdapter(memory, {
      read: (names) => (calls.push('read'), memory.read(names)),
      close: () => void calls.push('close'),
    })
    const store = storeFrom(adapter, { newToken, now: () => 0 })
    await Promise.all([store.read([]), store.close()])
    expect(calls).toEqual(['read', 'close'])
  })
})

const PAST_MS = 200_000

/** Entries that make rows whose retention is over `PAST_MS` later. */
function pastRows(count: number, period: number): BudgetEntry[] {
  const policy = {
    kind: 'window',
    limit: 9,
    burnMax: 9,
    version: 1,
    endsAt: period + 1,
    keepUntil: period + 1,
  } as const
  return Array.from({ length: count }, (_, index) => asking(`k${index}`, { period, policy }))
}

interface Paced {
  readonly store: ReturnType<typeof storeFrom>
  readonly adapter: MemoryAdapter
  readonly clock: { now: number }
  /** Rows that each upkeep removed. */
  readonly removed: number[]
  upkeeps(): number
}

function paced(upkeepRowsMax?: number): Paced {
  const clock = { now: 1_000_000 }
  const adapter = new MemoryAdapter(() => clock.now, LEASE_TTL_MS)
  const removed: number[] = []
  let upkeeps = 0
  const counting = changedAdapter(adapter, {
    loadUpkeep: (bounds) => {
      upkeeps += 1
      const { save, ...rest } = adapter.loadUpkeep(bounds)
      return { ...rest, save: (writes) => (removed.push(writes.removedBudgets.length), save(writes)) }
    },
  })
  const store = storeFrom(counting, { newToken, now: () => clock.now, upkeepRowsMax })
  return { store, adapter, clock, removed, upkeeps: () => upkeeps }
}
