import { assertSummand } from '../api/arguments.ts'
import { printAsJson } from '../api/inspect.ts'
import type { Counter } from '../api/public-types.ts'
import type { CounterState } from '../budget/counter-state.ts'

/** What a handle needs of the engine's counters. */
export interface CounterStates {
  stateOf(key: string): CounterState
  add(state: CounterState, n: number): void
  read(state: CounterState): Promise<number>
}

/** One counter, as users hold it. */
export class CounterHandle implements Counter {
  static {
    printAsJson(this)
  }

  readonly key: string
  readonly #states: CounterStates
  #state: CounterState | null = null

  constructor(key: string, states: CounterStates) {
    this.key = key
    this.#states = states
  }

  isOf(states: CounterStates): boolean {
    return this.#states === states
  }

  add(n = 1): void {
    assertSummand(n)
    this.#states.add(this.live(), n)
  }

  read(): Promise<number> {
    return this.#states.read(this.live())
  }

  toJSON(): { readonly key: string } {
    return { key: this.key }
  }

  /** The key's one state: another one after it was evicted. */
  live(): CounterState {
    if (this.#state === null || this.#state.evicted) this.#state = this.#states.stateOf(this.key)
    return this.#state
  }
}
