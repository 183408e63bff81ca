import type { Clock, Timer } from '../core/clock.ts'
import { invariant, StoreError } from '../core/errors.ts'
import type { Answer, AppliedAnswer, Batch, FencedAnswer, RowName } from '../core/exchange.ts'
import type { Joined, Store } from '../core/store.ts'
import type { Announce } from './announcer.ts'
import { SESSION_TABLE, type SessionEvent, type SessionState } from './session-table.ts'
import type { Tally } from './tally.ts'

/** What the session tells the engine. Each is called from the session alone, never from inside a call of the engine's. */
export interface SessionListener {
  /** A new epoch is open and nothing is in flight. */
  readonly opened: (epoch: number) => void
  /** The batch in flight counts, once. */
  readonly settled: (batch: Batch, answer: AppliedAnswer) => void
  /** The epoch is over. `batch`: what was in flight; `answer` says what became of it, null when the store forgot. */
  readonly fenced: (batch: Batch, answer: FencedAnswer | null) => void
  /** The row is to be left out: returns the batch to send instead, under the same seq; null when the batch has no such row. */
  readonly voided: (batch: Batch, row: RowName | undefined, detail: string) => Batch | null
  /** The closing batch counts: the epoch is over by our own wish. */
  readonly ended: (batch: Batch, answer: AppliedAnswer | FencedAnswer) => void
  /** An attempt to join or to exchange failed; another follows. */
  readonly failed: (error: StoreError) => void
}

export interface SessionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  readonly label: string
  readonly exchangeTimeoutMs: number
  readonly announce: Announce
  readonly tally: Tally
}

const PAUSE_FIRST_MS = 20
const PAUSE_LONGEST_MS = 2_000
/** A join may take this many times as long as an exchange: it may have to start a thread or open a file. */
const JOIN_PATIENCE = 5

/** One owner's conversation with its store: epochs, sequence numbers, one batch in flight, retries, fencing (O2, O5, O11). */
export class Session {
  readonly #options: SessionOptions
  readonly #listener: SessionListener
  #state: SessionState = 'joining'
  #epoch: number | null = null
  #firstEpoch: number | null = null
  #seq = 0
  #batch: Batch | null = null
  #attempts = 0
  #sentAtMs = 0
  #attemptTimer: Timer | null = null
  #lastError: StoreError | null = null
  #awaySinceMs: number | null = null
  #time = 0
  #timeAtMs = 0
  #leaseTtlMs = 0
  #lastExchangeAtMs = 0
  #exchangeMs = 1

  constructor(options: SessionOptions, listener: SessionListener) {
    this.#options = options
    this.#listener = listener
  }

  /** Joins in the background, and goes on trying until it succeeds or is abandoned. */
  start(): void {
    this.#join()
  }

  get state(): SessionState {
    return this.#state
  }

  get epoch(): number | null {
    return this.#epoch
  }

  /** The version of this process's policies: its first epoch (S3). */
  get version(): number {
    invariant(this.#firstEpoch !== null, 'a policy is sent only after a join')
    return this.#firstEpoch
  }

  /** Why the store could not be reached last; null while it can. */
  get lastError(): StoreError | null {
    return this.#lastError
  }

  get leaseTtlMs(): number {
    return this.#leaseTtlMs
  }

  /** How long an exchange takes, of late, in ms. */
  get exchangeMs(): number {
    return this.#exchangeMs
  }

  /** O6: when an owner that holds leases must give a sign of life, by the monotonic clock. */
  get keepaliveAtMs(): number {
    return this.#lastExchangeAtMs + Math.floor(this.#leaseTtlMs / 3)
  }

  /** There is an epoch, or was one: the store's time is known. Reads no clock. */
  get hasJoined(): boolean {
    return this.#firstEpoch !== null
  }

  /** O11: the store's time at the last answer plus monotonic time since; never goes back. ms since 1970; 0 before the first join. */
  get time(): number {
    if (!this.hasJoined) return 0
    return this.#time + Math.max(0, Math.floor(this.#options.clock.monotonic() - this.#timeAtMs))
  }

  /** Sends a batch; only when `state` is `ready`. The listener is told how it ended. */
  send(content: Pick<Batch, 'entries' | 'takes' | 'close'>): void {
    invariant(this.#epoch !== null, 'a batch needs an epoch')
    this.#batch = { epoch: this.#epoch, seq: this.#seq + 1, ...content }
    this.#attempts = 0
    this.#step('send')
  }

  /** Gives up: nothing more is sent, and no answer is heard. */
  abandon(): void {
    this.#step('abandon')
  }

  #step(event: SessionEvent): boolean {
    const { next, action } = SESSION_TABLE[this.#state][event]
    invariant(action !== 'impossible', `the session met ${event} while ${this.#state}`)
    if (action === 'ignore') return false
    this.#state = next
    if (action === 'attempt') this.#attempt()
    if (action === 'join') this.#join()
    if (action === 'end') this.#attemptTimer?.cancel()
    return true
  }

  #join(): void {
    const { store, label } = this.#options
    this.#attempts += 1
    const timeoutMs = JOIN_PATIENCE * this.#options.exchangeTimeoutMs
    this.#watch(
      () => store.join(label),
      (joined) => this.#joined(joined),
      timeoutMs,
    )
  }

  #joined(joined: Joined): void {
    if (this.#state !== 'joining') return
    this.#epoch = joined.epoch
    this.#firstEpoch ??= joined.epoch
    this.#seq = 0
    this.#leaseTtlMs = joined.leaseTtlMs
    this.#heard(joined.time)
    this.#step('joined')
    this.#options.announce({ type: 'joined', epoch: joined.epoch })
    this.#listener.opened(joined.epoch)
  }

  #attempt(): void {
    const batch = this.#batch
    invariant(batch !== null, 'an attempt needs a batch')
    if (this.#attempts === 0) this.#sentAtMs = this.#options.clock.monotonic()
    this.#attempts += 1
    this.#options.tally.exchanges += 1
    this.#watch(
      () => this.#options.store.exchange(batch),
      (answer) => this.#answered(batch, answer),
      this.#options.exchangeTimeoutMs,
    )
  }

  /** Calls the store; a failure, or no answer in time, is one `failed` for this attempt. A late answer still counts. */
  #watch<T>(call: () => Promise<T>, heard: (answer: T) => void, timeoutMs: number): void {
    const attempt = this.#attempts
    const batch = this.#batch
    const isOurs = (): boolean => this.#attempts === attempt && this.#batch === batch
    const fail = (error: StoreError): void => {
      if (isOurs()) this.#failed(error)
    }
    this.#attemptTimer?.cancel()
    this.#attemptTimer = this.#options.clock.timer(timeoutMs, () => fail(timedOut(timeoutMs)))
    called(call).then(heard, (cause: unknown) => fail(asStoreError(cause)))
  }

  #failed(error: StoreError): void {
    if (!this.#step('failed')) return
    this.#attemptTimer?.cancel()
    const { clock, random, announce } = this.#options
    if (this.#awaySinceMs === null) {
      this.#awaySinceMs = clock.monotonic()
      announce({ type: 'store_away', error })
    }
    this.#lastError = error
    const pauseMs = Math.min(PAUSE_FIRST_MS * 2 ** Math.min(this.#attempts - 1, 16), PAUSE_LONGEST_MS)
    this.#attemptTimer = clock.timer(pauseMs * (0.5 + random() / 2), () => this.#step('retry'))
    this.#listener.failed(error)
  }

  #answered(batch: Batch, answer: Answer): void {
    // An answer to an older batch, or to one that was replaced, is no news.
    if (batch !== this.#batch) return
    this.#heard(answer.time)
    switch (answer.kind) {
      case 'applied':
      case 'replayed':
        this.#measure()
        this.#seq = batch.seq
        return this.#finish(batch.close ? 'closed' : 'applied', batch, answer)
      case 'fenced':
        if (batch.close && answer.last?.seq === batch.seq) return this.#finish('closed', batch, answer)
        return this.#lose('fenced', batch, answer)
      case 'stale':
      case 'lost':
        this.#options.announce({
          type: 'store_forgot',
          epoch: batch.epoch,
          detail: `batch ${batch.seq} was answered ${answer.kind}`,
        })
        return this.#lose('forgot', batch, null)
      case 'breach':
        return this.#leaveOut(batch, answer.row, answer.detail ?? 'the books do not balance')
    }
  }

  /** S6 */
  #leaveOut(batch: Batch, row: RowName | undefined, detail: string): void {
    const rest = this.#listener.voided(batch, row, detail)
    if (rest === null) {
      return this.#failed(
        new StoreError('store_failed', `the store refused a batch: ${detail}`, { applied: 'no', transient: true }),
      )
    }
    this.#batch = rest
    if (this.#step('breach')) this.#attempt()
  }

  #finish(event: 'applied' | 'closed', batch: Batch, answer: AppliedAnswer | FencedAnswer): void {
    if (!this.#step(event)) return
    this.#batch = null
    this.#attempts = 0
    if (event === 'closed') this.#listener.ended(batch, answer)
    else if (answer.kind !== 'fenced') this.#listener.settled(batch, answer)
  }

  /** O5. The listener settles what was in flight before the next epoch opens. */
  #lose(event: 'fenced' | 'forgot', batch: Batch, answer: FencedAnswer | null): void {
    if (!this.#step(event)) return
    this.#batch = null
    this.#attempts = 0
    this.#epoch = null
    this.#listener.fenced(batch, answer)
    // Whoever heard of it may have closed the engine.
    if (this.#state === 'joining') this.#join()
  }

  /** O11 */
  #heard(time: number): void {
    this.#attemptTimer?.cancel()
    const { clock, announce } = this.#options
    this.#time = Math.max(time, this.time)
    this.#timeAtMs = clock.monotonic()
    this.#lastExchangeAtMs = this.#timeAtMs
    this.#lastError = null
    if (this.#awaySinceMs === null) return
    announce({ type: 'store_back', downMs: this.#timeAtMs - this.#awaySinceMs })
    this.#awaySinceMs = null
  }

  /** A moving average, so that one slow exchange does not double every lease. */
  #measure(): void {
    const tookMs = this.#options.clock.monotonic() - this.#sentAtMs
    this.#exchangeMs += (tookMs - this.#exchangeMs) / 8
  }
}

/** A store that throws instead of rejecting is heard all the same. */
async function called<T>(call: () => Promise<T>): Promise<T> {
  return call()
}

function timedOut(timeoutMs: number): StoreError {
  const message = `the store did not answer within ${timeoutMs} ms; the same call is sent again`
  return new StoreError('store_failed', message, { applied: 'unknown', transient: true })
}

function asStoreError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const message = `the store failed: ${cause instanceof Error ? cause.message : String(cause)}`
  return new StoreError('store_failed', message, { applied: 'unknown', transient: true, cause })
}
