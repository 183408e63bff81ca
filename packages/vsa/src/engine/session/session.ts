import { faultOfAnswer, faultOfJoined } from '../../core/answer-fault.ts'
import { invariant, type StoreError } from '../../core/errors.ts'
import type { Answer, Batch, FencedAnswer, BreachedRow } from '../../core/exchange.ts'
import { LEAP_MIN_MS } from '../../core/leap.ts'
import type { Joined } from '../../core/store.ts'
import { traceExchange } from '../runtime/exchange-trace.ts'
import { Attempts } from './attempts.ts'
import { whatWasForgotten } from './forgotten.ts'
import { IdleUpkeep } from './idle-upkeep.ts'
import { LossWatch } from './loss-watch.ts'
import { OwnerTime } from './owner-time.ts'
import type { SessionListener, SessionOptions } from './session-listener.ts'
import {
  advanceSession,
  type BatchContent,
  idleCaller,
  NOT_JOINED,
  type SessionInput,
  type SessionRecord,
  type SessionTurn,
} from './state-machine.ts'
import { called, type StoreCall } from './store-call.ts'
import { asStoreError, lateAnswer, refusedBatch, StoreHealth, timedOut, wrongAnswer } from './store-health.ts'
import type { SessionState } from './transition-table.ts'

/** A join may take this many times as long as an exchange: it may have to start a thread or open a file. */
const JOIN_TIMEOUT_FACTOR = 5

/** One owner's session with its store over time: calls, time limits, retries, and the store's time (O2, O5, O11). */
export class Session {
  readonly #options: SessionOptions
  readonly #listener: SessionListener
  readonly #attempts: Attempts
  readonly #time: OwnerTime
  readonly #health: StoreHealth
  /** Of a quiet owner. */
  readonly upkeep: IdleUpkeep
  readonly #losses: LossWatch
  #record: SessionRecord = NOT_JOINED
  #leaseTtlMs = 0

  constructor(options: SessionOptions, listener: SessionListener) {
    const { clock, random, emit } = options
    this.#options = options
    this.#listener = listener
    this.#attempts = new Attempts(clock, random)
    this.#time = new OwnerTime(clock)
    this.#health = new StoreHealth(clock, emit)
    this.#losses = new LossWatch({ clock, emit, leasesStop: (isStopped) => listener.leasesStop(isStopped) })
    this.upkeep = new IdleUpkeep({
      ...options,
      caller: () => idleCaller(this.#record),
      heardAtMs: () => this.#time.heardAtMs,
    })
  }

  /** Joins in the background, and goes on trying until it succeeds or is abandoned. */
  start(): void {
    this.#join()
  }

  get state(): SessionState {
    return this.#record.state
  }

  get epoch(): number | null {
    return this.#record.epoch
  }

  /** The version of this process's policies: its first epoch (S3). */
  get version(): number {
    const { firstEpoch } = this.#record
    invariant(firstEpoch !== null, 'a policy is sent only after a join')
    return firstEpoch
  }

  /** Why the last attempt failed; null once an answer has come. */
  get lastError(): StoreError | null {
    return this.#health.lastError
  }

  get leaseTtlMs(): number {
    return this.#leaseTtlMs
  }

  /** The store may forget what it acknowledged: what it answers is remembered (F4). */
  get mayForget(): boolean {
    return this.#losses.mayForget
  }

  /** F3: how long the store grants nothing, as far as is known, in ms; 0: it grants. */
  get frozenMs(): number {
    return this.#losses.frozenUntil === 0 ? 0 : Math.max(0, this.#losses.frozenUntil - this.time)
  }

  /** When the present call was first sent, or the last one, by the monotonic clock. */
  get sentAtMs(): number {
    return this.#attempts.sentAtMs
  }

  /** How long an exchange takes, in ms: a moving average. */
  get exchangeMs(): number {
    return this.#attempts.exchangeMs
  }

  /** O6: when an owner that holds leases must exchange again, by the monotonic clock. */
  get keepaliveAtMs(): number {
    return this.#time.heardAtMs + Math.floor(this.#leaseTtlMs / 3)
  }

  /** There is an epoch, or was one: the store's time is known. Reads no clock. */
  get hasJoined(): boolean {
    return this.#record.firstEpoch !== null
  }

  /** O11: the store's time, ms since 1970; 0 before the first join. It may go back, and every caller allows for that. */
  get time(): number {
    return this.hasJoined ? this.#time.now : 0
  }

  /** Sends a batch; only when `state` is `ready`. The listener is called with the outcome. */
  send(content: BatchContent): void {
    this.#attempts.restart()
    this.#act(this.#advance({ kind: 'send', content }))
  }

  /** F9: the store has lost what it had answered. Ignored while a batch is in flight, and once the session has ended. */
  leave(detail: string): void {
    const turn = this.#advance({ kind: 'lost' })
    if (turn.action !== 'leave') return
    this.#losses.tell(turn.epoch, detail)
    this.#joinAfter(() => this.#listener.left(turn.epoch))
  }

  /** Gives up: nothing more is sent, and answers are ignored. */
  abandon(): void {
    this.#act(this.#advance({ kind: 'abandon' }))
  }

  #advance(input: SessionInput): SessionTurn {
    const turn = advanceSession(this.#record, input)
    this.#record = turn.next
    return turn
  }

  #act(turn: SessionTurn): void {
    switch (turn.action) {
      case 'ignore':
      case 'pause':
      case 'open':
      case 'leave':
        return
      case 'join':
        return this.#join()
      case 'attempt':
        return this.#attempt(turn.batch)
      case 'settle':
        this.#attempts.restart()
        this.upkeep.settled(turn.batch, this.time)
        return this.#listener.settled(turn.batch, turn.answer)
      case 'rejoin':
        return this.#rejoin(turn.batch, turn.answer)
      case 'void':
        return this.#leaveOut(turn.batch, turn.row, turn.detail)
      case 'end':
        this.#attempts.restart()
        this.#attempts.cancel()
        this.upkeep.end()
        this.#losses.end()
        if (turn.last !== null) this.#listener.ended(turn.last.batch, turn.last.answer)
    }
  }

  #join(): void {
    const { store, label, exchangeTimeoutMs } = this.#options
    this.#attempts.begin()
    this.#call({
      call: () => store.join(label),
      faultOf: faultOfJoined,
      heard: (joined) => this.#joined(joined),
      mayBeLate: true,
      timeoutMs: JOIN_TIMEOUT_FACTOR * exchangeTimeoutMs,
    })
  }

  #joined(joined: Joined): void {
    const { epoch, token, incarnation, time, leaseTtlMs, upkeepDueInMs } = joined
    const { clock, isClockGiven } = this.#options
    const expected = this.hasJoined ? this.#time.now : isClockGiven ? Infinity : clock.now()
    const turn = this.#advance({ kind: 'joined', epoch, token, incarnation })
    if (turn.action === 'ignore') return
    this.#leaseTtlMs = leaseTtlMs
    this.#noteLeap(time, expected)
    this.#heard(time)
    this.upkeep.due(upkeepDueInMs)
    this.#options.emit({ type: 'joined', epoch })
    this.#listener.opened(epoch, this.#losses.joined(joined))
  }

  #attempt(batch: Batch): void {
    const { store, label, exchangeTimeoutMs, metrics } = this.#options
    this.#attempts.begin()
    metrics.exchanges += 1
    const trace = traceExchange(label, batch, this.#attempts.count)
    this.#call({
      call: () => store.exchange(batch),
      faultOf: (answer) => faultOfAnswer(batch, answer),
      heard: (answer, sentAtMs) => {
        trace?.answered(answer)
        this.#answered(batch, answer, sentAtMs)
      },
      timeoutMs: exchangeTimeoutMs,
      trace,
    })
  }

  /** Calls the store. A failure, a wrong answer, or none in time, fails this attempt once. A late answer still counts. */
  #call<T>({ call, faultOf, heard, timeoutMs, mayBeLate = false, trace }: StoreCall<T>): void {
    const sentAtMs = this.#options.clock.monotonic()
    const attempt = this.#attempts.count
    const { batch } = this.#record
    const isPresent = (): boolean => this.#attempts.count === attempt && this.#record.batch === batch
    const fail = (error: StoreError): void => {
      trace?.failed(error)
      if (isPresent()) this.#failed(error)
    }
    this.#attempts.limit(timeoutMs, () => fail(timedOut(timeoutMs)))
    called(call, trace)
      .then(
        (answer) => {
          const fault = faultOf(answer)
          if (fault !== null) fail(wrongAnswer(fault))
          else if (!mayBeLate && this.#losses.isLate(sentAtMs)) fail(lateAnswer())
          else heard(answer, sentAtMs)
        },
        (cause: unknown) => fail(asStoreError(cause)),
      )
      // A bug in taking the answer in must not end the process.
      .catch((error: unknown) => this.#options.emit({ type: 'internal_error', error }))
  }

  #failed(error: StoreError): void {
    if (this.#advance({ kind: 'failed' }).action === 'ignore') return
    this.#health.failed(error)
    this.#attempts.pause(() => this.#act(this.#advance({ kind: 'retry' })))
    this.#listener.failed(error)
  }

  #answered(batch: Batch, answer: Answer, sentAtMs: number): void {
    const turn = this.#advance({ kind: 'answer', batch, answer })
    if (turn.action === 'ignore') return
    const lastHeard = this.#time.heard
    this.#noteLeap(answer.time, this.#time.now)
    this.#heard(answer.time)
    if (answer.kind === 'applied' || answer.kind === 'replayed') {
      this.#attempts.measure()
      this.#losses.answered(sentAtMs, answer)
    }
    const detail = whatWasForgotten(batch, answer, lastHeard)
    if (detail !== null) this.#losses.tell(batch.epoch, detail)
    this.#act(turn)
  }

  /** S10: a clock has taken store time ahead, and with it the ends of all periods. @param expected the time by this owner's clock */
  #noteLeap(time: number, expected: number): void {
    const byMs = time - expected
    if (byMs > LEAP_MIN_MS) this.#options.emit({ type: 'clock_leap', byMs, time })
  }

  #heard(time: number): void {
    this.#attempts.cancel()
    this.#time.hear(time, this.#attempts.sentAtMs)
    this.#health.answered()
  }

  #leaveOut(batch: Batch, row: BreachedRow | undefined, detail: string): void {
    const content = this.#listener.voided(batch, row, detail)
    if (content !== null) return this.#act(this.#advance({ kind: 'replaced', content }))
    this.#failed(refusedBatch(detail))
  }

  /** O5. The listener settles what was in flight before the next epoch opens. */
  #rejoin(batch: Batch, answer: FencedAnswer | null): void {
    this.#joinAfter(() => this.#listener.fenced(batch, answer))
  }

  /** The epoch is over, and the listener settles what it leaves behind. */
  #joinAfter(settle: () => void): void {
    this.#attempts.restart()
    try {
      settle()
    } finally {
      // Behind the events: a user's listener may close the engine.
      queueMicrotask(() => {
        if (this.state === 'joining') this.#join()
      })
    }
  }
}
