import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Store } from '../../../packages/vsa/dist/index.js'
import type { Library } from './library.ts'
import type { Setting } from './script.ts'

/** What the store keeps through its restarts. */
export class StoreDisk {
  readonly #library: Library
  readonly #setting: Setting
  #memory: Store | null = null
  #folder: string | null = null

  constructor(library: Library, setting: Setting) {
    this.#library = library
    this.#setting = setting
  }

  /** @param now the wall clock of the store's machine, ms since 1970 */
  open(now: () => number): Store {
    const { store, leaseTtlMs } = this.#setting
    // What it has in memory stands for what a store has on its disk: a restart does not lose it.
    if (store === 'memory') return (this.#memory ??= this.#library.memory({ now, leaseTtlMs }))
    this.#folder ??= mkdtempSync(join(tmpdir(), 'vsa-sim-'))
    return this.#library.sqlite(join(this.#folder, 'books.db'), { thread: false, now, leaseTtlMs })
  }

  /** Removes what the run has left. @param close closes the store that was opened last */
  async remove(close: () => Promise<void>): Promise<void> {
    if (this.#folder === null) return
    await close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
