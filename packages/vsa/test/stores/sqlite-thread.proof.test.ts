import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readdirSync, readlinkSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
// The built package: a thread needs JavaScript.
import { sqlite } from 'vsa/sqlite'
import { sqlite as fromSources } from '../../src/stores/sqlite/index.ts'
import { child } from './sqlite-children.ts'
import { applied, batch, closing, count, entry, fault, initial, newPath } from './sqlite-fixture.ts'

/** The next thread that this process starts. */
const nextWorker = (): Promise<Worker> => new Promise((resolve) => process.once('worker', resolve))

describe('the store’s thread', () => {
  it('S2: when the thread dies, calls under way fail with store_lost, and the next call starts a new thread', async () => {
    const store = closing(sqlite(newPath()))
    const started = nextWorker()
    const owner = await store.join('a')
    const worker = await started
    const entries = Array.from({ length: 1_000 }, (_, index) => count(`c${index}`, 1))
    const exchange = () => store.exchange(batch(owner, 1, { entries }))
    const calls = [exchange(), store.owners()]
    const outcomes = Promise.allSettled(calls)
    await worker.terminate()
    const lost = fault('store_lost', { applied: 'unknown', transient: true })
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: lost },
      { status: 'rejected', reason: lost },
    ])
    expect(await exchange()).toMatchObject({ entries: entries.map(() => ({ value: 1 })) })
  })

  it('`close` of a store whose thread has died resolves, and a call after it starts a new thread', async () => {
    const store = closing(sqlite(newPath()))
    const started = nextWorker()
    await store.join('a')
    await (await started).terminate()
    await store.close()
    expect((await store.join('b')).epoch).toBe(2)
  })

  it('an error from the thread keeps its code and its fields', async () => {
    const store = closing(sqlite(`${newPath()}/missing/books.db`))
    await expect(store.join('a')).rejects.toMatchObject(fault('folder_missing'))
    const other = closing(sqlite(newPath(), { driver: 'better-sqlite3' }))
    await expect(other.join('a')).rejects.toMatchObject(fault('driver_missing'))
    const batches = closing(sqlite(newPath()))
    const owner = await batches.join('a')
    const twice = [count('c', 1), count('c', 1)]
    await expect(batches.exchange(batch(owner, 1, { entries: twice }))).rejects.toMatchObject({
      name: 'InvariantError',
    })
  })

  it('a missing worker file is an error that says what to do, as when run from these sources', async () => {
    const missing = fault('store_failed', { message: expect.stringContaining('thread: false') as string })
    await expect(fromSources(newPath()).join('a')).rejects.toMatchObject(missing)
  })

  it('`close` ends the thread and releases the file, and the next call starts a new thread', async () => {
    const path = newPath()
    const store = closing(sqlite(path))
    const started = nextWorker()
    const owner = await store.join('a')
    const ended = new Promise((resolve) => void started.then((worker) => worker.once('exit', resolve)))
    const last = store.exchange(batch(owner, 1, { entries: [count('c', 1)] }))
    await Promise.all([store.close(), store.close()])
    await ended
    expect(applied(await last).entries).toMatchObject([{ value: 1 }])
    expect(readdirSync(path.slice(0, path.lastIndexOf('/')))).toEqual(['books.db'])
    expect(openFiles(path)).toEqual([])
    expect((await store.exchange(batch(owner, 2, { entries: [count('c', 1)] }))).kind).toBe('applied')
  })

  it('calls and closes in any order leave no thread and no open file', async () => {
    const store = closing(sqlite(newPath()))
    const owner = await store.join('a')
    const calls: Promise<unknown>[] = []
    for (let round = 0; round < 5; round += 1) calls.push(store.owners(), store.close(), store.join('b'), store.close())
    await Promise.all(calls)
    expect((await store.exchange(batch(owner, 1))).kind).toBe('applied')
  })

  it('an open store does not keep the process alive, and a call under way does', async () => {
    const source = `const store = sqlite(path)
      const { epoch, token, incarnation } = await store.join('child')
      const entries = Array.from({ length: 1000 }, (_, i) => ({ kind: 'counter', key: 'c' + i, add: 1 }))
      const answer = await store.exchange({ epoch, token, incarnation, seq: 1, entries, takes: [], close: false })
      console.log(answer.kind)`
    const other = child(newPath(), source)
    expect(await other.line()).toBe('applied')
    expect(await other.ended).toBe(0)
  })

  it('L8: an exchange of 1,000 entries does not block the event loop', async () => {
    const blocked = async (thread: boolean): Promise<number> => {
      const store = closing(sqlite(newPath(), { thread }))
      const owner = await store.join('a')
      const worst: number[] = []
      for (let seq = 1; seq <= 21; seq += 1) {
        const entries = Array.from({ length: 1_000 }, (_, index) => {
          const row = entry({ key: `tenant-${index}`, known: seq > 1, spent: seq > 1 ? 1 : 0, hold: 50 })
          return seq > 1 ? { ...row, policy: initial } : row
        })
        const delay = monitorEventLoopDelay({ resolution: 1 })
        delay.enable()
        // The histogram measures a delay when its own timer fires late, so it needs a turn before and after.
        await setTimeout(3)
        await store.exchange(batch(owner, seq, { entries }))
        await setTimeout(3)
        delay.disable()
        worst.push(delay.max / 1e6)
      }
      return worst.toSorted((a, b) => a - b)[10] ?? Number.NaN
    }
    const [onThread, onCaller] = [await blocked(true), await blocked(false)]
    console.log(
      `median of the longest delays: ${onThread.toFixed(1)} ms on a thread, ${onCaller.toFixed(1)} ms without`,
    )
    expect(onThread).toBeLessThan(onCaller / 2)
  })
})

/** The open files of this process that belong to the database, read from /proc. Opens no descriptor of them. */
function openFiles(path: string): readonly string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`)
      return target.startsWith(path) ? [target] : []
    } catch {
      return []
    }
  })
}
