import { Worker } from 'node:worker_threads'
import type { Reported } from '../simulation/violations.ts'
import type { ExpectedCanary } from './catalogue.ts'
import { plant, type Planted } from './plant.ts'

/** The first seed is a crowd, and takes as long as fifty others. */
const FIRST_SEED = 2
/** Seeds that a canary may take at most. */
export const SEEDS_MAX = 1_000
/** A worker that says nothing for this long is replaced: the seed is no catch, and the next one is tried. */
const SILENCE_MAX_MS = 120_000
/** Workers of one canary that may die or fall silent. */
const LOST_WORKERS_MAX = 3

/** What a worker is started with. */
export interface FinderTask {
  /** The library with the bug in it. */
  readonly folder: string
  readonly canary: Pick<ExpectedCanary, 'name' | 'file' | 'foundBy' | 'laws' | 'seeds'>
  readonly from: number
  readonly count: number
}

export type FinderMessage =
  /** One seed, or one check, and what it reported; `found` where an expected law is among it. */
  | { readonly kind: 'tried'; readonly seed: number; readonly reported: readonly Reported[]; readonly found: boolean }
  /** Nothing is left to try. */
  | { readonly kind: 'ended' }

/** How a canary was found. */
export interface Finding {
  readonly canary: ExpectedCanary
  /** An expected law was reported. */
  readonly caught: boolean
  /** How many seeds or checks it took, or were tried. */
  readonly seeds: number
  /** The expected law that was reported; else the first other one, or empty. */
  readonly law: string
  readonly what: string
  /** Every law that was reported in the same event; where the canary was not caught, every law that was reported at all. */
  readonly laws: readonly string[]
}

/** Plants the bug, and tries until an expected law is reported. Anything else that is reported is no catch. */
export async function find(canary: ExpectedCanary, seedsMax: number): Promise<Finding> {
  let planted: Planted
  try {
    planted = plant(canary)
  } catch (error) {
    return { canary, caught: false, seeds: 0, law: 'error', what: String(error), laws: ['error'] }
  }
  try {
    return await new Search(canary, planted.folder, seedsMax).run()
  } finally {
    planted.remove()
  }
}

class Search {
  readonly #canary: ExpectedCanary
  readonly #folder: string
  readonly #endSeed: number
  #nextSeed = FIRST_SEED
  #tried = 0
  #lostWorkers = 0
  /** What was reported that is no catch. */
  readonly #others: Reported[] = []
  #found: readonly Reported[] = []

  constructor(canary: ExpectedCanary, folder: string, seedsMax: number) {
    this.#canary = canary
    this.#folder = folder
    this.#endSeed = FIRST_SEED + seedsMax
  }

  async run(): Promise<Finding> {
    while (this.#found.length === 0 && this.#nextSeed < this.#endSeed && this.#lostWorkers < LOST_WORKERS_MAX) {
      const lost = await this.#runWorker()
      if (lost === null) break
      this.#others.push({ law: 'error', what: lost })
      this.#lostWorkers += 1
      this.#nextSeed += 1
    }
    return this.#finding()
  }

  /** @returns null when it ended by itself, else why it was lost */
  #runWorker(): Promise<string | null> {
    const { name, file, foundBy, laws, seeds } = this.#canary
    const task: FinderTask = {
      folder: this.#folder,
      canary: { name, file, foundBy, laws, ...(seeds === undefined ? {} : { seeds }) },
      from: this.#nextSeed,
      count: this.#endSeed - this.#nextSeed,
    }
    return new Promise((resolve) => {
      const worker = new Worker(new URL('../canary-worker.js', import.meta.url), { workerData: task, stderr: true })
      const end = (lost: string | null): void => {
        clearTimeout(silence)
        resolve(lost)
        worker.terminate().catch(() => undefined)
      }
      const isSilent = (): void => end(`nothing was reported for ${SILENCE_MAX_MS} ms`)
      let silence = setTimeout(isSilent, SILENCE_MAX_MS)
      worker.on('message', (message: FinderMessage) => {
        clearTimeout(silence)
        silence = setTimeout(isSilent, SILENCE_MAX_MS)
        if (message.kind === 'ended' || this.#tryEnded(message)) end(null)
      })
      worker.on('error', (error) => end(`the worker died: ${String(error)}`))
      worker.on('exit', (code) => end(`the worker ended with code ${code}`))
    })
  }

  /** @returns whether the canary is caught */
  #tryEnded({ seed, reported, found }: Extract<FinderMessage, { kind: 'tried' }>): boolean {
    this.#tried += 1
    this.#nextSeed = seed + 1
    if (found) this.#found = reported
    else this.#others.push(...reported)
    return found
  }

  #finding(): Finding {
    const { laws } = this.#canary
    const seen = this.#found.length > 0 ? this.#found : this.#others
    const shown = seen.find(({ law }) => laws.includes(law)) ?? seen[0] ?? { law: '', what: '' }
    return {
      canary: this.#canary,
      caught: this.#found.length > 0,
      seeds: this.#tried,
      ...shown,
      laws: [...new Set(seen.map(({ law }) => law))],
    }
  }
}
