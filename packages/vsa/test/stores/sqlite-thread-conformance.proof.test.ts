import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Store } from 'vsa'
// The built package: a thread needs JavaScript.
import { sqlite } from 'vsa/sqlite'
import { storeConformance, type MakeStore } from '../../src/testing/index.ts'
import { IS_QUICK, rounds } from '../rounds.ts'

/**
 * Two handles onto one new file, each with a thread of its own; the file is removed with its folder. In `npm test` the second handle has none,
 * because a start of a thread takes as long as ten of these tests.
 */
const onFile: MakeStore = ({ now, leaseTtlMs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-conformance-'))
  const buffer = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  const cell = new Float64Array(buffer)
  const handle = (thread: boolean): Store =>
    beforeEachCall(sqlite(join(folder, 'books.db'), { now: { buffer }, thread, leaseTtlMs, upkeepEveryMs: 0 }), () => {
      cell[0] = now()
    })
  const [store, other] = [handle(true), handle(!IS_QUICK)]
  return {
    store,
    another: () => other,
    dispose: async () => {
      await Promise.all([store.close(), other.close()])
      rmSync(folder, { recursive: true })
    },
  }
}

/** The suite moves time only between calls, so that the thread reads the time of the call. */
function beforeEachCall(store: Store, prepare: () => void): Store {
  const prepared =
    <Arguments extends unknown[], Result>(call: (...args: Arguments) => Result) =>
    (...args: Arguments): Result => {
      prepare()
      return call(...args)
    }
  return {
    capabilities: store.capabilities,
    join: prepared((label) => store.join(label)),
    exchange: prepared((batch) => store.exchange(batch)),
    delete: prepared(async (key) => store.delete?.(key) ?? true),
    read: prepared((names) => store.read(names)),
    list: prepared((range) => store.list(range)),
    owners: prepared(() => store.owners()),
    close: () => store.close(),
  }
}

// Side by side, because most of the time is the start of threads.
storeConformance(
  'SQLite on a thread',
  onFile,
  { describe, it: it.concurrent, expect },
  { sequences: rounds(2), deletes: true },
)
