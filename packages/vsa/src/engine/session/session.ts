import type { Clock, Timer } from '../../core/clock.ts'
import { invariant, StoreError } from '../../core/errors.ts'
import type { Answer, AppliedAnswer, Batch, FencedAnswer, RowName } from '../../core/exchange.ts'
import type { Joined, Store } from '../../core/store.ts'
import type { Announce } from '../runtime/event-sink.ts'
import { type BatchContent, type Conversation, converse, NOT_JOINED, type Occasion, type Turn } from './state-machine.ts'
import type { SessionState } from './transition-table.ts'
import type { Tally } from '../runtime/metrics.ts'

/** What the session tells the engine. Each is called from the session alone, never from inside a call of the engine's. */
export interface SessionListener {
  /** A new epoch is open and nothing is in flight. */
  readonly opened: (epoch: number) => void
  /** The batch in flight counts, once. */
  readonly settled: (batch: Batch, answer: AppliedAnswer) => void
  /** The epoch is over. `batch`: what was in flight; `answer` says what became of it, null when the store forgot. */
  readonly fenced: (batch: Batch, answer: FencedAnswer | null) => void
  /** The row is to be left out: returns what to send instead, under the same seq; null when the batch has no such row. */
  readonly voided: (batch: Batch, row: RowName | undefined, detail: string) => BatchContent | null
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

/** Holds one owner's conversation with its store over time: calls, timeouts, retries, and the store's time (O2, O5, O11). */
export class Session {
  readonly #options: SessionOptions
  readonly #listener: SessionListener
  #conversation: Conversation = NOT_JOINED
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
    return this.#conversation.state
  }

  get epoch(): number | null {
    return this.#conversation.epoch
  }

  /** The version of this process's policies: its first epoch (S3). */
  get version(): number {
    const { firstEpoch } = this.#conversation
    invariant(firstEpoch !== null, 'a policy is sent only after a join')
    return firstEpoch
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
    return this.#conversation.firstEpoch !== null
  }

  /**
   * O11: the store's time at the last answer plus monotonic time since. Goes back where the store shows it to be ahead: whoever uses it
   * must bear that. ms since 1970; 0 before the first join.
   */
  get time(): number {
    if (!this.hasJoined) return 0
    return this.#time + Math.max(0, Math.floor(this.#options.clock.monotonic() - this.#timeAtMs))
  }

  /** Sends a batch; only when `state` is `ready`. The listener is told how it ended. */
  send(content: BatchContent): void {
    this.#attempts = 0
    this.#act(this.#turn({ kind: 'send', content }))
  }

  /** Gives up: nothing more is sent, and no answer is heard. */
  abandon(): void {
    this.#act(this.#turn({ kind: 'abandon' }))
  }

  #turn(occasion: Occasion): Turn {
    const turn = converse(this.#conversation, occasion)
    this.#conversation = turn.next
    return turn
  }

  #act(turn: Turn): void {
    switch (turn.action) {
      case 'ignore':
      case 'pause':
        return
      case 'join':
        return this.#join()
      case 'open':
        return this.#open(turn.epoch)
      case 'attempt':
        return this.#attempt(turn.batch)
      case 'settle':
        this.#attempts = 0
        return this.#listener.settled(turn.batch, turn.answer)
      case 'rejoin':
        return this.#rejoin(turn.batch, turn.answer)
      case 'void':
        return this.#leaveOut(turn.batch, turn.row, turn.detail)
      case 'end':
        this.#attempts = 0
        this.#attemptTimer?.cancel()
        if (turn.last !== null) this.#listener.ended(turn.last.batch, turn.last.answer)
    }
  }

  #join(): void {
    const { store, label } = this.#options
    if (this.#attempts === 0) this.#sentAtMs = this.#options.clock.monotonic()
    this.#attempts += 1
    const timeoutMs = JOIN_PATIENCE * this.#options.exchangeTimeoutMs
    this.#watch(
      () => store.join(label),
      (joined) => this.#joined(joined),
      timeoutMs,
    )
  }

  #joined({ epoch, time, leaseTtlMs }: Joined): void {
    const turn = this.#turn({ kind: 'joined', epoch })
    if (turn.action === 'ignore') return
    this.#leaseTtlMs = leaseTtlMs
    this.#heard(time)
    this.#act(turn)
  }

  #open(epoch: number): void {
    this.#options.announce({ type: 'joined', epoch })
    this.#listener.opened(epoch)
  }

  #attempt(batch: Batch): void {
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
    const { batch } = this.#conversation
    const isOurs = (): boolean => this.#attempts === attempt && this.#conversation.batch === batch
    const fail = (error: StoreError): void => {
      if (isOurs()) this.#failed(error)
    }
    this.#attemptTimer?.cancel()
    this.#attemptTimer = this.#options.clock.timer(timeoutMs, () => fail(timedOut(timeoutMs)))
    called(call).then(heard, (cause: unknown) => fail(asStoreError(cause)))
  }

  #failed(error: StoreError): void {
    if (this.#turn({ kind: 'failed' }).action === 'ignore') return
    this.#attemptTimer?.cancel()
    const { clock, random, announce } = this.#options
    if (this.#awaySinceMs === null) {
      this.#awaySinceMs = clock.monotonic()
      announce({ type: 'store_away', error })
    }
    this.#lastError = error
    const pauseMs = Math.min(PAUSE_FIRST_MS * 2 ** (this.#attempts - 1), PAUSE_LONGEST_MS)
    this.#attemptTimer = clock.timer(pauseMs * (0.5 + random() / 2), () => this.#act(this.#turn({ kind: 'retry' })))
    this.#listener.failed(error)
  }

  #answered(batch: Batch, answer: Answer): void {
    const turn = this.#turn({ kind: 'answer', batch, answer })
    if (turn.action === 'ignore') return
    this.#heard(answer.time)
    if (answer.kind === 'applied' || answer.kind === 'replayed') this.#measure()
    if (answer.kind === 'stale' || answer.kind === 'lost') {
      const detail = `batch ${batch.seq} was answered ${answer.kind}`
      this.#options.announce({ type: 'store_forgot', epoch: batch.epoch, detail })
    }
    this.#act(turn)
  }

  /** S6 */
  #leaveOut(batch: Batch, row: RowName | undefined, detail: string): void {
    const content = this.#listener.voided(batch, row, detail)
    if (content !== null) return this.#act(this.#turn({ kind: 'replaced', content }))
    const message = `the store refused a batch: ${detail}`
    this.#failed(new StoreError('store_failed', message, { applied: 'no', transient: true }))
  }

  /** O5. The listener settles what was in flight before the next epoch opens. */
  #rejoin(batch: Batch, answer: FencedAnswer | null): void {
    this.#attempts = 0
    this.#listener.fenced(batch, answer)
    // Whoever heard of it may have closed the engine.
    if (this.state === 'joining') this.#join()
  }

  /** O11: the answer is as old as its way here, at most: a time within that is as good as the answer's, and none ahead of it is kept. */
  #heard(time: number): void {
    this.#attemptTimer?.cancel()
    const { clock, announce } = this.#options
    const nowMs = clock.monotonic()
    const latest = time + Math.ceil(nowMs - this.#sentAtMs)
    this.#time = Math.max(time, Math.min(this.time, latest))
    this.#timeAtMs = nowMs
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
