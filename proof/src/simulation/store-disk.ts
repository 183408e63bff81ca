import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReservationRow, Store } from '../../../packages/vsa/dist/index.js'
import type { Library } from './library.ts'
import { type LockableMemory, lockableMemory } from './lockable-memory.ts'
import type { Setting } from './script.ts'
import { SavedReservations } from './saved-reservations.ts'
import { type SharedClock, upkeepOption } from './store-options.ts'
import { watchedAdapter } from './watched-adapter.ts'

/** Linux keeps this folder in memory. No power cut is simulated, so a commit need not reach a disk, and a run takes a fifth of the time. */
const MEMORY_FOLDER = '/dev/shm'

const BUSY_TIMEOUT_MS = 5_000

/** The durable state of the store across restarts. */
export class StoreDisk {
  readonly #library: Library
  readonly #setting: Setting
  #memory: LockableMemory | null = null
  #folder: string | null = null
  /** Of a file on this thread. */
  readonly #saved: SavedReservations = new SavedReservations()
  /** Whether the store runs on a thread of its own. */
  isThreaded = false

  constructor(library: Library, setting: Setting) {
    this.#library = library
    this.#setting = setting
  }

  /**
   * @param now the wall clock of the store's machine, ms since 1970
   * @param shared the same clock, for a store on a thread
   */
  open(now: () => number, shared: SharedClock): Store {
    const { store, leaseTtlMs } = this.#setting
    const options = { leaseTtlMs, ...upkeepOption() }
    // The object in memory represents the disk: a restart does not lose it.
    if (store === 'memory') return (this.#memory ??= lockableMemory(this.#library, { now, ...options })).store
    this.#folder ??= mkdtempSync(join(temporaryFolder(), 'vsa-sim-'))
    const path = join(this.#folder, 'store.db')
    const threaded = store === 'sqlite-thread' ? openThreaded(this.#library, path, options, shared) : null
    this.isThreaded = threaded !== null
    return threaded ?? this.#openHere(path, now)
  }

  /** As `sqlite` opens it, but for its adapter, which is watched. */
  #openHere(path: string, now: () => number): Store {
    const { SqliteAdapter, storeFrom } = this.#library
    const { leaseTtlMs } = this.#setting
    const adapter = new SqliteAdapter(undefined, { path, leaseTtlMs, busyTimeoutMs: BUSY_TIMEOUT_MS }, now)
    return storeFrom(watchedAdapter(adapter, this.#saved), { now, ...upkeepOption() })
  }

  /** Those that its transactions have saved; empty where the store keeps none. */
  get reservations(): readonly ReservationRow[] {
    return this.#memory?.saved.rows ?? this.#saved.rows
  }

  /** Another program takes the lock of the store. Only the store in memory has one here. @returns whether it did */
  lock(): boolean {
    this.#memory?.lock()
    return this.#memory !== null
  }

  unlock(): void {
    this.#memory?.unlock()
  }

  /** Removes the files of the run. @param close closes the store that was opened last */
  async remove(close: () => Promise<void>): Promise<void> {
    if (this.#folder === null) return
    await close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** @returns null where the library's threaded store does not accept a shared clock yet: it throws a TypeError */
function openThreaded(
  { sqlite }: Library,
  path: string,
  options: { readonly leaseTtlMs: number },
  shared: SharedClock,
): Store | null {
  // The option is typed as a function while the library has no shared clock.
  const now = { buffer: shared.buffer } as unknown as () => number
  try {
    return sqlite(path, { thread: true, now, ...options })
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

function temporaryFolder(): string {
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK)
    return MEMORY_FOLDER
  } catch {
    return tmpdir()
  }
}
