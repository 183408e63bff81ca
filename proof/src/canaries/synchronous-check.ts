import Database from 'libsql'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClientDatabase, ClientStatement } from '../../../packages/vsa/dist/stores/sqlite/index.js'
import { loadLibrary } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'

/** `PRAGMA synchronous`: FULL. In WAL mode a commit is durable from there on. */
const FULL = 2
const ON = 1

/** The settings at the moment of a commit. */
interface Commit {
  readonly synchronous: unknown
  readonly fullfsync: unknown
}

/** S7: on the connection that commits, at the moment of each commit, SQLite syncs before it answers, on macOS to the disk itself. */
export async function assertSynchronous(folder: string): Promise<void> {
  const { sqlite } = await loadLibrary(folder)
  const files = mkdtempSync(join(tmpdir(), 'vsa-synchronous-'))
  const commits: Commit[] = []
  const store = sqlite(join(files, 'store.db'), { driver: committing((commit) => commits.push(commit)), thread: false })
  try {
    const { epoch, token, incarnation } = await store.join('check')
    await store.exchange({ epoch, token, incarnation, seq: 1, entries: [], takes: [], close: true })
  } finally {
    await store.close()
    rmSync(files, { recursive: true })
  }
  must(commits.length >= 2, 'S7', () => `${commits.length} commits for two calls`)
  for (const { synchronous, fullfsync } of commits) {
    must(synchronous === FULL, 'S7', () => `a commit with synchronous = ${String(synchronous)}`)
    must(fullfsync === ON, 'S7', () => `a commit with fullfsync = ${String(fullfsync)}`)
  }
}

/** libsql's class, which asks SQLite for the settings before each commit. */
function committing(onCommit: (commit: Commit) => void): new (path: string) => ClientDatabase {
  return class implements ClientDatabase {
    readonly #database: ClientDatabase

    constructor(path: string) {
      this.#database = new Database(path)
    }

    exec(sql: string): unknown {
      const setting = (name: string): unknown => levelOf(this.#database.prepare(`PRAGMA ${name}`).get())
      if (sql === 'COMMIT') onCommit({ synchronous: setting('synchronous'), fullfsync: setting('fullfsync') })
      return this.#database.exec(sql)
    }

    prepare(sql: string): ClientStatement {
      return this.#database.prepare(sql)
    }

    close(): unknown {
      return this.#database.close()
    }
  }
}

function levelOf(row: unknown): unknown {
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : row
}
