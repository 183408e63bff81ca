import type { BudgetEntry } from '../../core/exchange.ts'
import type { Plan, Window } from '../../core/plan.ts'
import { rowName } from '../rows/leased-row.ts'

/** What this owner was answered of one row, as long as the store may forget it. */
export interface Remembered {
  readonly key: string
  readonly plan: Plan
  readonly window: Window
  /** `minted - pool` of the last answer: units that this owner or another one has, or has admitted. */
  readonly gone: number
  /** By the monotonic clock: one lease lifetime after the answer. */
  readonly untilMs: number
}

/** A row of this owner, also where nothing of it is leased any more. */
export type RememberedRow = Pick<Remembered, 'key' | 'plan' | 'window'>

/**
 * F4, F5: on a store that may forget, what was answered of each row, for one lease lifetime: through fencing, through eviction, and also after it
 * was restated (F10). Empty on other stores. After a loss, rows are `due` until the store has them again.
 */
export class Recollection {
  /** By name of the row, the longest ago first. */
  readonly #rows = new Map<string, Remembered>()
  readonly #due = new Map<string, Remembered>()
  #loss: string | null = null

  get isEmpty(): boolean {
    return this.#rows.size === 0
  }

  /** Rows are to be restated before anything else is sent. */
  get isDue(): boolean {
    return this.#due.size > 0
  }

  /** A row that is due stays so, with the larger figure: the answer may be of a store that does not have it yet. */
  remember({ key, plan, window }: RememberedRow, gone: number, untilMs: number): void {
    const name = rowName(key, window.start)
    const due = this.#due.get(name)
    const row = { key, plan, window, gone: Math.max(gone, due?.gone ?? 0), untilMs }
    this.#rows.delete(name)
    this.#rows.set(name, row)
    if (due !== undefined) this.#due.set(name, row)
  }

  /** The store has lost writes: every row that is remembered is due. */
  forgot(): void {
    for (const [name, row] of this.#rows) this.#due.set(name, row)
  }

  /** @returns the rows that are to be restated, at most `max` */
  due(max: number): readonly Remembered[] {
    return [...this.#due.values()].slice(0, max)
  }

  /**
   * The store has the row again, with what was gone; it is remembered further (F10).
   * @param gone null where there is no such row: its period is over, or it does not balance, and nothing is granted from it
   */
  restated(row: Remembered, gone: number | null, untilMs: number): void {
    const name = rowName(row.key, row.window.start)
    if (this.#due.get(name) === row) this.#due.delete(name)
    if (gone === null) this.#rows.delete(name)
    else this.remember(row, gone, untilMs)
  }

  /** P6: the row was deleted: nothing of it is to be told. */
  drop({ key, window }: Pick<Remembered, 'key' | 'window'>): void {
    const name = rowName(key, window.start)
    this.#rows.delete(name)
    this.#due.delete(name)
  }

  /** P6: all of the key was deleted. */
  dropKey(key: string): void {
    for (const row of [...this.#rows.values(), ...this.#due.values()]) if (row.key === key) this.drop(row)
  }

  /** Drops what the store cannot forget any more. @param sentAtMs when a batch was sent that the store has answered since */
  purge(sentAtMs: number): void {
    for (const [name, { untilMs }] of this.#rows) {
      if (untilMs > sentAtMs || this.#due.has(name)) return
      this.#rows.delete(name)
    }
  }

  /** F9: a row is gone from the store under a lease. */
  noteLoss(key: string): void {
    this.#loss ??= key
  }

  /** The key of such a row, once. */
  takeLoss(): string | null {
    const loss = this.#loss
    this.#loss = null
    return loss
  }
}

/** F5: the store burns what it lacks of `gone`, and makes the row where it is missing. @param version of this process's policies */
export function restatementOf({ key, plan, window, gone }: Remembered, version: number): BudgetEntry {
  const policy = plan.rowPolicy(window, version)
  const nothing = { known: false, spent: 0, refund: 0, hold: 0, wantMs: 0 }
  return { kind: 'budget', key, period: window.start, ...nothing, policy, gone }
}
