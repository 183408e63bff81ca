import type { Decision } from '../core/decision.ts'
import type { StoreError, VsaError } from '../core/errors.ts'
import { assertKey, KEY_LENGTH_MAX } from '../core/key.ts'
import type { Policy } from '../core/policy.ts'
import { assertUnits, describe } from '../core/units.ts'
import { Accounts } from './rows/lease-table.ts'
import { Backlog } from './exchange/send-queue.ts'
import { Counters } from './counters/counters.ts'
import { Deferred } from './runtime/deferred.ts'
import { Desk } from './admission/admission-controller.ts'
import { assertDuration } from './api/durations.ts'
import type { AdmitOptions, Budget, CloseOptions, Counter, FlushOptions, Need, Vsa } from './api/public-types.ts'
import { closeAmbiguous, closedError, permanentError, timeoutError } from './api/errors.ts'
import { Family } from './budget/family.ts'
import { FiguresDesk } from './admission/decisions.ts'
import { Flusher } from './exchange/flush-scheduler.ts'
import { Gate } from './budget/gate.ts'
import { PlanBook } from './budget/policy-cache.ts'
import { Ring } from './budget/clock-eviction.ts'
import { Session } from './session/session.ts'
import type { OpenSettings } from './api/settings.ts'
import type { Stats } from './runtime/stats.ts'
import { Tally } from './runtime/metrics.ts'
import { appliedOf, type GateNeed, type Verdict, type Waiter } from './requests/pending-request.ts'
import { Waiters } from './requests/wait-queue.ts'

/** How long a `close` waits for the store, in ms. */
const CLOSE_DEADLINE_MS = 10_000
/** Budgets that one request may need together. */
const NEEDS_MAX = 1_000

/** One running engine: the owner. Puts the parts together, and is the public face. */
export class Engine implements Vsa {
  readonly #settings: OpenSettings
  readonly #tally = new Tally()
  readonly #session: Session
  readonly #accounts: Accounts
  readonly #waiters: Waiters
  readonly #backlog = new Backlog()
  readonly #flusher: Flusher
  readonly #desk: Desk
  readonly #counters: Counters
  readonly #ring: Ring
  readonly #plans = new PlanBook()
  readonly #families = new Map<string, Family>()
  readonly #awaitingJoin = new Set<Deferred<void>>()
  #closing: Deferred<void> | null = null

  constructor(settings: OpenSettings) {
    this.#settings = settings
    const { clock, flushIntervalMs } = settings
    const tally = this.#tally
    const backlog = this.#backlog
    const session = new Session(
      { ...settings, tally },
      {
        opened: () => this.#opened(),
        settled: (_batch, answer) => this.#flusher.settled(answer),
        fenced: (batch, answer) => this.#flusher.fenced(batch, answer),
        voided: (batch, row, detail) => this.#flusher.voided(batch, row, detail),
        ended: (_batch, answer) => this.#ended(() => this.#flusher.closed(answer)),
        failed: (error) => this.#storeFailed(error),
      },
    )
    this.#session = session
    const waiters = new Waiters(clock, tally, (waiter) => this.#expire(waiter))
    this.#waiters = waiters
    const accounts = new Accounts(clock, session)
    this.#accounts = accounts
    this.#ring = new Ring(settings.budgetsMax, accounts)
    const flusher = new Flusher({ settings, session, accounts, waiters, backlog, tally })
    this.#flusher = flusher
    const figures = new FiguresDesk(session, flushIntervalMs)
    this.#desk = new Desk({ settings, tally, session, accounts, waiters, flusher, figures, joined: () => this.ready() })
    this.#counters = new Counters({ settings, session, backlog, flusher, tally })
    session.start()
  }

  ready(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closedError(undefined))
    if (this.#session.epoch !== null) return Promise.resolve()
    const { clock, deadlineMs } = this.#settings
    const waiting = new Deferred<void>(clock, deadlineMs, () =>
      timeoutError(undefined, deadlineMs, 'no', this.#session),
    )
    this.#awaitingJoin.add(waiting)
    return waiting.promise
  }

  budgets(name: string, policy: Policy | ((id: string) => Policy)): Family {
    assertKey('name', name, KEY_LENGTH_MAX - 2)
    if (name.includes(':')) throw new TypeError(`name must have no colon, got ${describe(name)}: keys are name:id`)
    return this.#family(name).declare(policy)
  }

  budget(key: string, policy: Policy): Budget {
    assertKey('key', key)
    const { family, id } = this.#locate(key)
    return family.single(id, policy)
  }

  counter(key: string): Counter {
    return this.#counters.handle(key)
  }

  async admitAll(needs: readonly Need[], options?: AdmitOptions): Promise<boolean> {
    return this.#desk.admitAll(this.#merge(needs), options)
  }

  async decideAll(needs: readonly Need[], options?: AdmitOptions): Promise<Decision> {
    return this.#desk.decideAll(this.#merge(needs), options)
  }

  stats(): Stats {
    const tally = this.#tally
    let unsent = 0
    for (const account of this.#accounts.all()) unsent += account.spentSince
    const spentUnits = tally.spentUnits + unsent + tally.unspentUnits
    const spends = spentUnits - tally.surplusUnits
    return {
      operations: spends + tally.takes + tally.denials + tally.refunds + tally.counterAdds + tally.unaccounted,
      admittedUnits: spentUnits + tally.takenUnits,
      deniedUnits: tally.deniedUnits,
      refundedUnits: tally.refundedUnits,
      refundsRefused: tally.refundsRefused,
      unaccountedUnits: tally.unaccountedUnits,
      exchanges: tally.exchanges,
      records: tally.records,
      leaseRecords: tally.leaseRecords,
      budgets: this.#ring.size,
      counters: this.#counters.size,
      waiters: tally.waiters,
      leasedUnits: this.#accounts.leasedUnits,
      epoch: this.#session.epoch,
    }
  }

  async flush(options: FlushOptions = {}): Promise<void> {
    const { returnLeases = false, deadlineMs = this.#settings.deadlineMs } = options
    assertDuration('options.deadlineMs', deadlineMs)
    if (this.#closing !== null) return this.#closing.promise
    const late = (): VsaError => timeoutError(undefined, deadlineMs, 'unknown', this.#session)
    const reply = new Deferred<void>(this.#settings.clock, deadlineMs, late)
    this.#backlog.addFlush({ returnLeases, reply })
    this.#flusher.flushNow()
    return reply.promise
  }

  close(options: CloseOptions = {}): Promise<void> {
    if (this.#closing !== null) return this.#closing.promise
    const { deadlineMs = CLOSE_DEADLINE_MS } = options
    assertDuration('options.deadlineMs', deadlineMs)
    const closing = new Deferred<void>(this.#settings.clock, deadlineMs, () => this.#giveUp(deadlineMs))
    this.#closing = closing
    this.#desk.close()
    for (const waiting of this.#awaitingJoin) waiting.reject(closedError(undefined))
    const isUntouched = this.#session.epoch === null && this.#accounts.size === 0 && this.#tally.waiters === 0
    if (isUntouched && this.#backlog.isEmpty && this.#flusher.hasNothingDeferred) {
      this.#session.abandon()
      this.#ended(() => this.#flusher.end())
    } else {
      this.#flusher.close()
    }
    return closing.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #opened(): void {
    for (const waiting of this.#awaitingJoin) waiting.resolve()
    this.#awaitingJoin.clear()
    this.#flusher.opened()
  }

  #storeFailed(error: StoreError): void {
    if (this.#session.epoch === null) {
      for (const waiting of this.#awaitingJoin) waiting.reject(error)
      this.#awaitingJoin.clear()
    }
    // Somebody must act before it can go on: nobody need wait for that.
    if (!error.transient)
      this.#waiters.tellAll((waiter) =>
        this.#unknown(waiter, permanentError(waiter.needs[0]?.gate, error, appliedOf(waiter))),
      )
  }

  /** A waiter's time is up: reserved when the store had said so, else the store has kept us from knowing. */
  #expire(waiter: Waiter): Verdict {
    const need = waiter.needs[0]
    if (need !== undefined && waiter.refused && this.#session.lastError === null) {
      this.#tally.denials += 1
      this.#tally.deniedUnits += waiter.needs.reduce((total, { units }) => total + units, 0)
      return { kind: 'denied', ...need, account: need.gate.account }
    }
    return this.#unknown(waiter, timeoutError(need?.gate, waiter.deadlineMs, appliedOf(waiter), this.#session))
  }

  #unknown(waiter: Waiter, error: VsaError): Verdict {
    const units = waiter.needs.reduce((total, need) => total + need.units, 0)
    switch (this.#settings.onStoreUnavailable) {
      case 'throw':
        return { kind: 'failed', error }
      case 'deny': {
        const need = waiter.needs[0]
        this.#tally.denials += 1
        this.#tally.deniedUnits += units
        return need === undefined ? { kind: 'failed', error } : { kind: 'denied', ...need, account: need.gate.account }
      }
      case 'allow':
        this.#tally.unaccounted += 1
        this.#tally.unaccountedUnits += units
        waiter.unaccounted = true
        return { kind: 'unaccounted' }
    }
  }

  /** The deadline of `close` has passed. */
  #giveUp(deadlineMs: number): VsaError {
    const error = closeAmbiguous(deadlineMs, this.#session)
    this.#session.abandon()
    this.#flusher.end()
    this.#waiters.tellAll((waiter) => this.#unknown(waiter, closedError(waiter.needs[0]?.gate, appliedOf(waiter))))
    void this.#settings.store.close().catch(() => undefined)
    return error
  }

  /** The epoch is over by our own wish. */
  #ended(settle: () => void): void {
    settle()
    const closing = this.#closing
    for (const flush of this.#backlog.takeFlushes()) flush.reply.resolve()
    this.#settings.store.close().then(
      () => closing?.resolve(),
      (error: unknown) => closing?.reject(error),
    )
  }

  #locate(key: string): { readonly family: Family; readonly id: string } {
    const colon = key.indexOf(':')
    // A key that begins or ends with its first colon has no family: both parts must have a character.
    if (colon <= 0 || colon === key.length - 1) return { family: this.#family(''), id: key }
    return { family: this.#family(key.slice(0, colon)), id: key.slice(colon + 1) }
  }

  #family(name: string): Family {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const family = new Family(name, this.#desk, this.#tally, this.#ring, this.#plans)
    this.#families.set(name, family)
    return family
  }

  /** Checks what was asked for; the same budget twice counts once, with the sum. */
  #merge(needs: readonly Need[]): readonly GateNeed[] {
    if (!Array.isArray(needs)) throw new TypeError(`needs must be an array of [budget, units], got ${describe(needs)}`)
    const max = Math.min(NEEDS_MAX, this.#settings.store.capabilities.batchMax)
    if (needs.length < 1 || needs.length > max)
      throw new RangeError(`needs must name 1 to ${max} budgets, got ${needs.length}`)
    const sums = new Map<Gate, number>()
    for (const [index, need] of needs.entries()) {
      const parts: readonly unknown[] = Array.isArray(need) ? need : []
      const [budget, units] = parts
      if (!(budget instanceof Gate) || !this.#isOurs(budget)) {
        throw new TypeError(`needs[${index}][0] must be a budget of this engine, got ${describe(budget)}`)
      }
      assertUnits(`needs[${index}][1]`, units)
      const gate = budget.family.live(budget)
      const sum = (sums.get(gate) ?? 0) + units
      assertUnits(`the units of ${JSON.stringify(gate.key)} together`, sum)
      sums.set(gate, sum)
    }
    return [...sums].map(([gate, units]) => ({ gate, units }))
  }

  #isOurs(gate: Gate): boolean {
    return gate.family.desk === this.#desk
  }
}
