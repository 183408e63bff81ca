import type { Answer, Batch, BudgetRow, Joined, OwnerRow, ListPage, Store } from '../../../packages/vsa/dist/index.js'
import type { Timeline } from './timeline.ts'

export type HowDown = 'refused' | 'silent'

/** Sees every transaction of the store, before anybody hears of it. */
export interface Auditor {
  joined(label: string, joined: Joined): Promise<void>
  exchanged(batch: Batch, answer: Answer): Promise<void>
}

/** The machine that the store runs on: the real store code, a clock of its own, and the ways in which it may be away. */
export class StoreHost {
  readonly #timeline: Timeline
  readonly #startMs: number
  readonly #open: (now: () => number) => Store
  #store: Store
  #jumpedMs = 0
  #down: HowDown | null = null
  #downs = 0
  auditor: Auditor | null = null
  /** Told when the store cannot be opened again. */
  onFailure: (error: unknown) => void = () => undefined

  constructor(timeline: Timeline, startMs: number, open: (now: () => number) => Store) {
    this.#timeline = timeline
    this.#startMs = startMs
    this.#open = open
    this.#store = open(() => this.now())
  }

  get capabilities(): Store['capabilities'] {
    return this.#store.capabilities
  }

  get down(): HowDown | null {
    return this.#down
  }

  /** Its wall clock, ms since 1970. */
  now(): number {
    return Math.floor(this.#startMs + this.#jumpedMs + this.#timeline.nowMs)
  }

  jump(ms: number): void {
    this.#jumpedMs += ms
  }

  /** The store's process dies, and comes back with what it had committed. */
  fail(how: HowDown, forMs: number): void {
    this.#down = how
    const down = (this.#downs += 1)
    this.#timeline.after(forMs, () => {
      if (this.#downs === down) this.recover().catch(this.onFailure)
    })
  }

  /** A new process of the store opens what the last one left. */
  async recover(): Promise<void> {
    await this.#store.close()
    this.#store = this.#open(() => this.now())
    this.#down = null
  }

  async join(label: string): Promise<Joined> {
    const joined = await this.#store.join(label)
    await this.auditor?.joined(label, joined)
    return joined
  }

  async exchange(batch: Batch): Promise<Answer> {
    const answer = await this.#store.exchange(batch)
    await this.auditor?.exchanged(batch, answer)
    return answer
  }

  read(names: readonly { readonly key: string; readonly period: number }[]): Promise<readonly BudgetRow[]> {
    return this.#store.read(names)
  }

  list(): Promise<ListPage> {
    return this.#store.list({ limit: 10_000 })
  }

  owners(): Promise<readonly OwnerRow[]> {
    return this.#store.owners()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
