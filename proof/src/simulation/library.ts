import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Vsa from '../../../packages/vsa/dist/index.js'
import type * as Compile from '../../../packages/vsa/dist/core/policies/compile.js'
import type * as Adapter from '../../../packages/vsa/dist/stores/memory/adapter.js'
import type * as Past from '../../../packages/vsa/dist/stores/memory/past.js'
import type * as Memory from '../../../packages/vsa/dist/stores/memory/index.js'
import type * as SqliteFile from '../../../packages/vsa/dist/stores/sqlite/adapter.js'
import type * as Sqlite from '../../../packages/vsa/dist/stores/sqlite/index.js'
import { moduleOf } from '../subject.ts'

/** What a run needs of a built library: the shipped one, or one with a bug planted in it. */
export interface Library {
  readonly open: typeof Vsa.open
  readonly VsaError: typeof Vsa.VsaError
  readonly StoreError: typeof Vsa.StoreError
  readonly memory: typeof Memory.memory
  readonly sqlite: typeof Sqlite.sqlite
  readonly SqliteAdapter: typeof SqliteFile.SqliteAdapter
  readonly storeFrom: typeof Vsa.storeFrom
  readonly MemoryAdapter: typeof Adapter.MemoryAdapter
  readonly MemoryPast: typeof Past.MemoryPast
  readonly compilePolicy: typeof Compile.compilePolicy
}

export async function loadLibrary(folder: string): Promise<Library> {
  const { open, storeFrom, VsaError, StoreError } = await moduleOf<typeof Vsa>(folder, 'index.js')
  const { memory } = await moduleOf<typeof Memory>(folder, 'stores/memory/index.js')
  const { MemoryAdapter } = await moduleOf<typeof Adapter>(folder, 'stores/memory/adapter.js')
  const { MemoryPast } = await moduleOf<typeof Past>(folder, 'stores/memory/past.js')
  const { sqlite } = await moduleOf<typeof Sqlite>(folder, 'stores/sqlite/index.js')
  const { SqliteAdapter } = await moduleOf<typeof SqliteFile>(folder, 'stores/sqlite/adapter.js')
  const { compilePolicy } = await moduleOf<typeof Compile>(folder, 'core/policies/compile.js')
  await loadDriver(sqlite)
  const stores = { memory, sqlite, SqliteAdapter, storeFrom, MemoryAdapter, MemoryPast }
  return { open, VsaError, StoreError, ...stores, compilePolicy }
}

/** The first store of a process loads the SQLite client, which takes real time. It is loaded here, before simulated time begins. */
async function loadDriver(sqlite: Library['sqlite']): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-sim-'))
  const store = sqlite(join(folder, 'first.db'), { thread: false })
  await store.join('warm-up')
  await store.close()
  rmSync(folder, { recursive: true })
}
