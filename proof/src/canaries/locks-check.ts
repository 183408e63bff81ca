import Database from 'libsql'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientDatabase, ClientStatement } from '../../../packages/vsa/dist/stores/sqlite/index.js'
import { loadLibrary } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'

/**
 * L1: this process opens and closes the database itself during a commit, as a copy does, which drops SQLite's locks. The commit must not be answered as
 * surely applied: from then on another process may delete the log. Only Linux shows locks.
 */
export async function assertLocksAreWatched(folder: string): Promise<void> {
  if (process.platform !== 'linux') return
  const { sqlite } = await loadLibrary(folder)
  const files = mkdtempSync(join(tmpdir(), 'vsa-locks-'))
  const path = join(files, 'store.db')
  let onCommit = (): void => undefined
  const store = sqlite(path, { driver: committing(() => onCommit()), thread: false })
  try {
    const { epoch, token, incarnation } = await store.join('check')
    onCommit = () => closeSync(openSync(path, 'r'))
    const outcome = await store
      .exchange({ epoch, token, incarnation, seq: 1, entries: [], takes: [], close: false })
      .then(
        ({ kind }) => kind,
        (error: unknown) => (error instanceof Error && 'applied' in error ? error.applied : error),
      )
    must(outcome === 'unknown', 'L1', () => `a commit without locks was answered ${String(outcome)}`)
  } finally {
    await store.close()
    rmSync(files, { recursive: true })
  }
}

/** libsql's class, with something to do after each commit. */
function committing(onCommit: () => void): new (path: string) => ClientDatabase {
  return class implements ClientDatabase {
    readonly #database: ClientDatabase

    constructor(path: string) {
      this.#database = new Database(path)
    }

    exec(sql: string): unknown {
      const result = this.#database.exec(sql)
      if (sql === 'COMMIT') onCommit()
      return result
    }

    prepare(sql: string): ClientStatement {
      return this.#database.prepare(sql)
    }

    close(): unknown {
      return this.#database.close()
    }
  }
}
