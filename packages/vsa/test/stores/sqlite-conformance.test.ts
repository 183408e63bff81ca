import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sqlite, type SqliteOptions } from '../../src/stores/sqlite/index.ts'
import { storeConformance, type MakeStore } from '../../src/testing/index.ts'
import { rounds } from '../rounds.ts'

/** Two handles onto one new file, which is removed with its folder. */
function onFile(optionsFor: (needs: Parameters<MakeStore>[0]) => SqliteOptions): MakeStore {
  return (needs) => {
    const folder = mkdtempSync(join(tmpdir(), 'vsa-conformance-'))
    const handle = (): ReturnType<typeof sqlite> => sqlite(join(folder, 'books.db'), optionsFor(needs))
    const [store, other] = [handle(), handle()]
    return {
      store,
      another: () => other,
      dispose: async () => {
        await Promise.all([store.close(), other.close()])
        rmSync(folder, { recursive: true })
      },
    }
  }
}

storeConformance(
  'SQLite',
  onFile(({ now, leaseTtlMs }) => ({ now, leaseTtlMs, thread: false, upkeepEveryMs: 0 })),
  { describe, it, expect },
  { sequences: rounds(8), deletes: true },
)
