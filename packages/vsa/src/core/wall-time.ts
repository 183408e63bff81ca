import type { Clock } from './clock.ts'

/** The time of one store: from a function of its own, or from the clock of the engines that are opened on it, or the machine's. */
export class WallTime {
  readonly #hasOwn: boolean
  #now: () => number
  #steady: () => number
  #clock: Clock | null = null
  #isFixed = false

  /**
   * @param own the store's own source of time, ms since 1970
   * @param machine the machine's clocks
   */
  constructor(own: (() => number) | undefined, machine: Pick<Clock, 'now' | 'monotonic'>) {
    this.#hasOwn = own !== undefined
    this.#now = own ?? (() => machine.now())
    this.#steady = own ?? (() => machine.monotonic())
  }

  /** Ms since 1970. */
  readonly now = (): number => {
    this.#isFixed = true
    return this.#now()
  }

  /** Ms from any origin, for lengths of time. A wall clock that is set does not change it, except where the store has only its own source. */
  readonly steady = (): number => {
    this.#isFixed = true
    return this.#steady()
  }

  /** The time has been read where this object does not see it: the source stays as it is. */
  fix(): void {
    this.#isFixed = true
  }

  /**
   * Takes the time from an engine's clock, unless the store has a source of its own. All engines on one store must have one clock.
   * @returns whether `clock` gives the time now
   * @throws TypeError that names `options.clock`, when the store goes by another clock already
   */
  useClock(clock: Clock): boolean {
    if (this.#hasOwn) return false
    if (clock === this.#clock) return true
    if (this.#clock !== null || this.#isFixed) throw new TypeError(differentClock(this.#clock !== null))
    this.#clock = clock
    this.#now = () => clock.now()
    this.#steady = () => clock.monotonic()
    return true
  }
}

function differentClock(isInjected: boolean): string {
  const other = isInjected ? 'that of another engine' : "the machine's"
  return `options.clock must be the clock of the store, which goes by ${other}: open all engines on it with one clock, or give the store its own \`now\``
}
