import type { Clock } from '../../core/clock.ts'
import type { Decision } from '../../core/decision.ts'
import { assertKey } from '../../core/key.ts'
import { assertUnits, describe } from '../../core/units.ts'
import type { Account } from '../rows/row-lease.ts'
import type { Accounts } from '../rows/lease-table.ts'
import { checkOptions, windowOf } from '../api/arguments.ts'
import type { AdmitOptions, Peek } from '../api/public-types.ts'
import { closedError, durableOnly, quarantinedError, timeoutError, tooManyWaiters } from '../api/errors.ts'
import { Deferred } from '../runtime/deferred.ts'
import type { FiguresDesk } from './decisions.ts'
import type { Flusher } from '../exchange/flush-scheduler.ts'
import type { Gate } from '../budget/gate.ts'
import type { OpenSettings } from '../api/settings.ts'
import type { Session } from '../session/session.ts'
import type { Tally } from '../runtime/metrics.ts'
import type { GateNeed, Verdict, Waiter } from '../requests/pending-request.ts'
import type { Waiters } from '../requests/wait-queue.ts'

/** Nothing was asked for. */
const LOOKED: Verdict = { kind: 'admitted', account: null }
const NO_OPTIONS: AdmitOptions = {}

/** What a gate asks when its hot path must stop: it checks the arguments, spends, denies from memory, or lets the request wait. */
export class Desk {
  readonly #settings: OpenSettings
  readonly #clock: Clock
  readonly #tally: Tally
  readonly #session: Session
  readonly #accounts: Accounts
  readonly #waiters: Waiters
  readonly #flusher: Flusher
  readonly #figures: FiguresDesk
  readonly #joined: () => Promise<void>
  #closed = false

  constructor(parts: {
    readonly settings: OpenSettings
    readonly tally: Tally
    readonly session: Session
    readonly accounts: Accounts
    readonly waiters: Waiters
    readonly flusher: Flusher
    readonly figures: FiguresDesk
    /** Resolves once an epoch is open. */
    readonly joined: () => Promise<void>
  }) {
    this.#settings = parts.settings
    this.#clock = parts.settings.clock
    this.#tally = parts.tally
    this.#session = parts.session
    this.#accounts = parts.accounts
    this.#waiters = parts.waiters
    this.#flusher = parts.flusher
    this.#figures = parts.figures
    this.#joined = parts.joined
  }

  /** O13: from now on admissions and mints are refused. */
  close(): void {
    this.#closed = true
  }

  tryAdmit(handle: Gate, units: number): boolean {
    assertUnits('units', units)
    const gate = handle.family.live(handle)
    if (gate !== handle) return gate.tryAdmit(units)
    if (this.#closed) throw closedError(gate)
    if (gate.plan.durable) throw durableOnly(gate)
    if (units === 0) return true
    if (!this.#session.hasJoined) {
      this.#flusher.deferUntilJoined(gate, 0)
    } else {
      const account = this.#accounts.current(gate)
      if (this.#spend(account, units)) return true
      if (!this.#isKnownToLack(account, units)) this.#flusher.askLease(account, units)
    }
    this.#countDenial(units)
    return false
  }

  admit(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    return new Promise((resolve, reject) => {
      assertUnits('units', units)
      const gate = handle.family.live(handle)
      this.#request([{ gate, units }], options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(verdict.kind !== 'denied')
      })
    })
  }

  decide(handle: Gate, units: number, options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => {
      assertUnits('units', units)
      const gate = handle.family.live(handle)
      this.#request([{ gate, units }], options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(this.#decisionOf(verdict, { gate, units }))
      })
    })
  }

  /** All or none over distinct gates. */
  admitAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#request(needs, options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(verdict.kind !== 'denied')
      })
    })
  }

  decideAll(needs: readonly GateNeed[], options: AdmitOptions = NO_OPTIONS): Promise<Decision> {
    return new Promise((resolve, reject) => {
      const first = needs[0]
      if (first === undefined) throw new RangeError('needs must name at least one budget')
      this.#request(needs, options, (verdict) => {
        if (verdict.kind === 'failed') reject(verdict.error)
        else resolve(this.#decisionOf(verdict, first))
      })
    })
  }

  refund(handle: Gate, units: number, decision: { readonly period: number } | undefined): void {
    assertUnits('units', units)
    const gate = handle.family.live(handle)
    const window = decision === undefined ? undefined : windowOf(gate, decision)
    if (this.#flusher.ended) throw closedError(gate)
    if (units === 0) return
    this.#tally.refunds += 1
    this.#tally.refundedUnits += units
    if (window === undefined && !this.#session.hasJoined) return this.#flusher.deferUntilJoined(gate, units)
    const account = window === undefined ? this.#accounts.current(gate) : this.#accounts.ofWindow(gate, window)
    this.#flusher.refund(account, units)
  }

  async mint(handle: Gate, units: number, options: { readonly id: string }): Promise<boolean> {
    assertUnits('units', units)
    if (typeof options !== 'object' || options === null)
      throw new TypeError(`options must be { id }, got ${describe(options)}`)
    const { id } = options
    assertKey('options.id', id)
    const gate = handle.family.live(handle)
    if (gate.plan.kind !== 'initial') {
      throw new TypeError(
        `mint is for budgets declared with { initial }; ${JSON.stringify(gate.key)} has a limit per period`,
      )
    }
    if (this.#closed) throw closedError(gate)
    const { deadlineMs } = this.#settings
    const reply = new Deferred<boolean>(this.#clock, deadlineMs, () =>
      timeoutError(gate, deadlineMs, 'unknown', this.#session),
    )
    this.#flusher.mint(gate, { mint: { units, id }, reply })
    return reply.promise
  }

  async peek(handle: Gate): Promise<Peek> {
    const gate = handle.family.live(handle)
    const { store } = this.#settings
    // A store that was closed would be opened again for it.
    if (this.#flusher.ended) throw closedError(gate)
    if (!this.#session.hasJoined) await this.#joined()
    const window = gate.account?.window ?? gate.plan.windowAt(this.#session.time)
    const [row] = await store.read([{ key: gate.key, period: window.start }])
    // While the store was read, an exchange may have made the row, and the gate may have gone on to the next period.
    const account = gate.account?.window.start === window.start ? gate.account : null
    const leased = account?.held ?? 0
    const reset = window.end === Infinity ? {} : { resetAtMs: window.end }
    const seen = row ?? account?.figures
    if (seen === undefined || seen === null) {
      const { limit } = gate.plan
      return { limit, minted: limit, used: 0, remaining: limit, leased, burned: 0, ...reset }
    }
    const { limit, minted, used, burned } = seen
    const delta = account === null ? 0 : account.spentSince + (account.sent?.spent ?? 0)
    return { limit, minted, used, remaining: Math.max(0, minted - used - burned - delta), leased, burned, ...reset }
  }

  /** One request: answered at once from memory, or by the store. Throws for bad arguments before anything has changed. */
  #request(needs: readonly GateNeed[], options: AdmitOptions, tell: (verdict: Verdict) => void): void {
    const { deadlineMs, durable, signal } = checkOptions(options, this.#settings.deadlineMs)
    const gates = needs.every((need) => need.units > 0) ? needs : needs.filter((need) => need.units > 0)
    const [only] = gates
    const name = needs[0]?.gate
    if (this.#closed) throw closedError(name)
    signal?.throwIfAborted()
    if (only === undefined) return tell(LOOKED)
    const isDurable = durable ?? gates.some(({ gate }) => gate.plan.durable)
    const verdict = this.#session.hasJoined ? this.#fromMemory(gates, isDurable) : undefined
    if (verdict !== undefined) return this.#tellAtOnce(verdict, gates, tell)
    if (this.#tally.waiters >= this.#settings.waitersMax) throw tooManyWaiters(only.gate, this.#settings.waitersMax)
    const waiter: Waiter = {
      needs: gates,
      durable: isDurable,
      deadlineMs,
      deadlineAtMs: this.#clock.monotonic() + deadlineMs,
      tell: signal === undefined ? tell : listening(signal, tell, () => this.#abort(waiter, signal)),
      state: 'queued',
      refused: false,
      unaccounted: false,
    }
    this.#enqueue(waiter)
  }

  /** Admitted from leases, denied because the units are known not to be there, or undefined: only the store can tell. */
  #fromMemory(needs: readonly GateNeed[], isDurable: boolean): Verdict | undefined {
    const accounts = needs.map(({ gate }) => this.#accounts.current(gate))
    let isCovered = true
    for (let at = 0; at < needs.length; at += 1) {
      const [account, need] = [accounts[at], needs[at]]
      if (account === undefined || need === undefined) continue
      if (account.quarantined) return { kind: 'failed', error: quarantinedError(need.gate) }
      if (account.left >= need.units) continue
      if (this.#isKnownToLack(account, need.units)) return { kind: 'denied', ...need, account }
      isCovered = false
    }
    if (isDurable || !isCovered) return undefined
    for (const [index, account] of accounts.entries()) this.#spend(account, needs[index]?.units ?? 0)
    return { kind: 'admitted', account: accounts[0] ?? null }
  }

  #tellAtOnce(verdict: Verdict, needs: readonly GateNeed[], tell: (verdict: Verdict) => void): void {
    if (verdict.kind === 'denied') this.#countDenial(sum(needs))
    tell(verdict)
  }

  /** O9: a durable request that the lease covers spends from it now and waits for the acknowledgement; any other is a take. */
  #enqueue(waiter: Waiter): void {
    const [need, second] = waiter.needs
    const isSingle = second === undefined && need !== undefined
    if (isSingle && this.#session.hasJoined) {
      const account = this.#accounts.current(need.gate)
      if (waiter.durable && this.#spend(account, need.units)) {
        this.#flusher.confirm(account, waiter)
        return
      }
      account.awaited ||= account.sent !== null
    }
    this.#waiters.add(waiter)
    this.#flusher.wake()
  }

  /** O1: check and spend, with nothing in between. */
  #spend(account: Account, units: number): boolean {
    const left = account.left - units
    if (left < 0 || !account.current) return false
    account.left = left
    if (units !== 1) this.#tally.surplusUnits += units - 1
    this.#flusher.spent(account)
    return true
  }

  /** O12: the row could not cover it when last heard of, and that was less than a flush interval ago. */
  #isKnownToLack(account: Account, units: number): boolean {
    return account.figures !== null && units > account.reach && this.#clock.monotonic() < account.askAgainAtMs
  }

  #countDenial(units: number): void {
    this.#tally.denials += 1
    this.#tally.deniedUnits += units
  }

  #decisionOf(verdict: Exclude<Verdict, { kind: 'failed' }>, asked: GateNeed): Decision {
    if (verdict.kind === 'denied') return this.#figures.denied(verdict, verdict.account)
    const isUnaccounted = verdict.kind === 'unaccounted'
    const account = (isUnaccounted ? null : verdict.account) ?? asked.gate.account
    return this.#figures.admitted(asked, account, isUnaccounted)
  }

  #abort(waiter: Waiter, signal: AbortSignal): void {
    this.#waiters.tell(waiter, { kind: 'failed', error: signal.reason })
  }
}

/** Tells once, and stops listening to the signal. */
function listening(
  signal: AbortSignal,
  tell: (verdict: Verdict) => void,
  abort: () => void,
): (verdict: Verdict) => void {
  signal.addEventListener('abort', abort, { once: true })
  return (verdict) => {
    signal.removeEventListener('abort', abort)
    tell(verdict)
  }
}

function sum(needs: readonly GateNeed[]): number {
  return needs.reduce((total, need) => total + need.units, 0)
}
