import type { Batch } from '../../../packages/vsa/dist/index.js'

/** One exchange that the store has done. */
export interface Done {
  /** Of its transaction: those before it survive it. */
  readonly index: number
  readonly owner: number
  /** Units that it took out of the pool of each row. */
  readonly pulled: ReadonlyMap<string, number>
  /** Its answer has come to the owner. */
  isTold: boolean
}

interface Loss {
  readonly lost: readonly Done[]
  /** By owner: the first transaction by which it has reached the store since. */
  readonly reached: Map<number, number>
}

/**
 * What is promised when a store loses the last part of what it acknowledged: L1 holds, as long as every owner that was answered something in that
 * part reaches the store before the freeze ends. What others had pulled in it may be admitted twice.
 */
export class Promised {
  /** By row: units that may be admitted twice. */
  readonly allowed = new Map<string, number>()
  #done: Done[] = []
  /** Losses whose freeze is not over: a second one starts it anew (F10). */
  #losses: Loss[] = []
  readonly #told = new Map<string, Done>()

  /** There is a loss whose freeze is not over. */
  get isOpen(): boolean {
    return this.#losses.length > 0
  }

  done(batch: Batch, done: Done): void {
    this.#done.push(done)
    this.#told.set(nameOf(batch), done)
  }

  told(batch: Batch): void {
    const done = this.#told.get(nameOf(batch))
    if (done !== undefined) done.isTold = true
  }

  /** The owner's batch was applied in the present incarnation: what it remembers came before. */
  reached(owner: number, index: number): void {
    for (const { reached } of this.#losses) if (!reached.has(owner)) reached.set(owner, index)
  }

  /** Transactions from `size` on are lost. */
  forgot(size: number): void {
    for (const { reached } of this.#losses)
      for (const [owner, index] of reached) if (index >= size) reached.delete(owner)
    this.#losses.push({ lost: this.#done.filter(({ index }) => index >= size), reached: new Map() })
    this.#done = this.#done.filter(({ index }) => index < size)
  }

  /** The freeze is over. */
  thaw(): void {
    for (const { lost, reached } of this.#losses) {
      for (const { owner, isTold, pulled } of lost) {
        if (!isTold || reached.has(owner)) continue
        for (const [key, units] of pulled) this.allowed.set(key, (this.allowed.get(key) ?? 0) + units)
      }
    }
    this.#losses = []
  }
}

function nameOf({ token, seq }: Batch): string {
  return `${token}:${seq}`
}
