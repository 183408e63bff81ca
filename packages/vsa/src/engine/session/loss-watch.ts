import type { Clock, Timer } from '../../core/clock.ts'
import type { AppliedAnswer } from '../../core/exchange.ts'
import type { Joined } from '../../core/store.ts'
import type { EventSink } from '../runtime/event-sink.ts'
import { ANOTHER_INCARNATION } from './forgotten.ts'

/** F8: an answer counts, and leases are spent from, up to this share of a lease lifetime after the attempt was sent. */
const TRUSTED_SHARE = 0.9

export interface LossWatchOptions {
  readonly clock: Clock
  readonly emit: EventSink
  /** Leases must not be spent from any more, or may be again. */
  readonly leasesStop: (isStopped: boolean) => void
}

/** What the session knows of a store that may forget what it acknowledged (F1, F3, F8). Nothing of it is done for a store that never does. */
export class LossWatch {
  readonly #options: LossWatchOptions
  #incarnation: string | null = null
  #mayForget = false
  #trustedMs = Infinity
  #leaseTtlMs = Infinity
  #frozenUntil = 0
  /** When leases stop, by the monotonic clock. */
  #stopAtMs = Infinity
  #isStopped = false
  /** Of the loss that the next join may show, too. */
  #isTold = false
  #timer: Timer | null = null
  #ended = false

  constructor(options: LossWatchOptions) {
    this.#options = options
  }

  get mayForget(): boolean {
    return this.#mayForget
  }

  /** F3: the store grants nothing before this store time, as far as is known; 0: it grants. */
  get frozenUntil(): number {
    return this.#frozenUntil
  }

  /** The store has lost what it had answered: an event says so, once for each loss. */
  tell(epoch: number, detail: string): void {
    this.#options.emit({ type: 'store_forgot', epoch, detail })
    this.#isTold = true
  }

  /** @returns whether the store is in another incarnation than before: it may have lost writes */
  joined({ epoch, incarnation, mayForget, frozenUntil, leaseTtlMs }: Joined): boolean {
    const isAnother = this.#incarnation !== null && this.#incarnation !== incarnation
    this.#incarnation = incarnation
    this.#leaseTtlMs = leaseTtlMs
    this.#judge(mayForget)
    this.#frozenUntil = frozenUntil
    if (isAnother && !this.#isTold) this.tell(epoch, ANOTHER_INCARNATION)
    this.#isTold = false
    return isAnother
  }

  /** F8: the answer came so late that the store may have forgotten it, and what follows from that may be over. */
  isLate(sentAtMs: number): boolean {
    return this.#mayForget && this.#options.clock.monotonic() - sentAtMs > this.#trustedMs
  }

  /** An attempt has its answer, in time. @param sentAtMs when it was sent, by the monotonic clock */
  answered(sentAtMs: number, { frozenUntil, mayForget }: Pick<AppliedAnswer, 'frozenUntil' | 'mayForget'>): void {
    this.#frozenUntil = frozenUntil
    // F4: a standby was connected since. This answer is the first that is remembered.
    if (mayForget === true) this.#judge(true)
    if (!this.#mayForget) return
    this.#stopAtMs = sentAtMs + this.#trustedMs
    if (this.#isStopped) this.#stop(false)
    if (this.#timer === null) this.#arm()
  }

  #judge(mayForget: boolean): void {
    this.#mayForget = mayForget
    this.#trustedMs = mayForget ? TRUSTED_SHARE * this.#leaseTtlMs : Infinity
  }

  end(): void {
    this.#ended = true
    this.#timer?.cancel()
    this.#timer = null
  }

  #arm(): void {
    if (this.#ended) return
    const { clock } = this.#options
    const inMs = Math.max(0, this.#stopAtMs - clock.monotonic())
    this.#timer = clock.timer(Math.ceil(inMs), () => this.#tick())
  }

  /** One timer, however many answers there were. */
  #tick(): void {
    this.#timer = null
    if (this.#options.clock.monotonic() < this.#stopAtMs) this.#arm()
    else this.#stop(true)
  }

  #stop(isStopped: boolean): void {
    this.#isStopped = isStopped
    this.#options.leasesStop(isStopped)
  }
}
