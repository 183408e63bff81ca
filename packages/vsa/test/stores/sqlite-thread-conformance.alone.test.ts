import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
// The built package: a thread needs JavaScript.
import { sqlite, type SqliteOptions } from 'vsa/sqlite'
import { storeConformance, type MakeStore } from '../../src/testing/index.ts'

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
  'SQLite on a thread',
  onFile(({ leaseTtlMs }) => ({ leaseTtlMs })),
  { describe, it, expect },
  { sequences: 5, time: 'own' },
)
