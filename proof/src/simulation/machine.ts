import type { Clock, Timer } from '../../../packages/vsa/dist/index.js'
import type { Timeline } from './timeline.ts'

/** `stopped`: by SIGSTOP or a long garbage collection; the clocks continue. `suspended`: with the machine; monotonic time stops. */
export type Standstill = 'stopped' | 'suspended'

/** One machine with one process on it: its clocks, its timers, the messages that reach it, and its stops. */
export class Machine implements Clock {
  readonly #timeline: Timeline
  /** Wall time when true time was 0. */
  #wallAtZeroMs: number
  #monotonicBehindMs = 0
  #suspendedAtMs: number | null = null
  #still: Standstill | null = null
  #dead = false
  /** Timers that wait. */
  #timers = 0
  /** Due timers and received messages while the process was stopped. */
  #held: (() => void)[] = []

  constructor(timeline: Timeline, wallAtZeroMs: number) {
    this.#timeline = timeline
    this.#wallAtZeroMs = wallAtZeroMs
  }

  get timers(): number {
    return this.#timers
  }

  get running(): boolean {
    return !this.#dead && this.#still === null
  }

  get dead(): boolean {
    return this.#dead
  }

  now(): number {
    return Math.floor(this.#wallAtZeroMs + this.#timeline.nowMs)
  }

  monotonic(): number {
    return (this.#suspendedAtMs ?? this.#timeline.nowMs) - this.#monotonicBehindMs
  }

  timer(delayMs: number, fire: () => void): Timer {
    const dueAtMs = this.monotonic() + Math.max(0, delayMs)
    let waits = true
    this.#timers += 1
    const end = (): void => {
      if (waits) this.#timers -= 1
      waits = false
    }
    const due = (): void => {
      if (!waits) return
      // Monotonic time did not advance meanwhile.
      if (this.monotonic() + 1e-6 < dueAtMs) return arm()
      end()
      fire()
    }
    let forget = (): void => undefined
    const arm = (): void => {
      forget = this.#timeline.after(dueAtMs - this.monotonic(), () => this.reach(due))
    }
    arm()
    return {
      cancel: () => {
        end()
        forget()
      },
    }
  }

  soon(run: () => void): void {
    this.#timeline.soon(() => this.reach(run))
  }

  /** Runs a callback in the process: now, or when it resumes. A dead process runs nothing. */
  reach(run: () => void): void {
    if (this.#dead) return
    if (this.#still === null) run()
    else this.#held.push(run)
  }

  /** The machine's wall clock is set. */
  jump(ms: number): void {
    this.#wallAtZeroMs += ms
  }

  stand(how: Standstill): void {
    if (!this.running) return
    this.#still = how
    if (how === 'suspended') this.#suspendedAtMs = this.#timeline.nowMs
  }

  /** The process resumes. Delayed callbacks run now, each in its own event. */
  goOn(): void {
    if (this.#still === null || this.#dead) return
    this.#still = null
    if (this.#suspendedAtMs !== null) this.#monotonicBehindMs += this.#timeline.nowMs - this.#suspendedAtMs
    this.#suspendedAtMs = null
    const held = this.#held
    this.#held = []
    for (const run of held) this.#timeline.after(0, () => this.reach(run))
  }

  die(): void {
    this.#dead = true
    this.#held = []
  }
}
