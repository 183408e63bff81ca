import { assertStore } from '../core/assert-store.ts'
import type { Clock } from '../core/clock.ts'
import { StoreError, type Applied } from '../core/errors.ts'
import type { Answer, Batch } from '../core/exchange.ts'
import type { IntentWriter } from '../core/intent-writer.ts'
import { assertOneOf } from '../core/options.ts'
import type { BudgetRow, OwnerRow } from '../core/rows.ts'
import type { Caller } from '../core/standing.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from '../core/store.ts'
import { assertFault, assertRates, drawFault, type Fault, type FaultKind, type FaultRates } from './fault.ts'
import { assertFaultyOptions, METHODS, type FaultyMethod, type FaultyStoreOptions } from './faulty-options.ts'
import type { Random } from './random.ts'

/** A store whose calls can be delayed, lost, repeated and refused. Calls that arrive are done by the inner store. */
export interface FaultyStore extends Store {
  /** How many faults happened, by kind. */
  readonly faults: Readonly<Record<FaultKind, number>>
  /** How many calls were made, with a fault or without. */
  readonly calls: Readonly<Record<FaultyMethod, number>>
  /** How many requests are on their way to the inner store: delayed, late or duplicate. */
  readonly underWay: number
  /** Appends to the script of `method`; `undefined` appends a call without a fault. */
  inject(method: FaultyMethod, fault: Fault | undefined): void
  /** Draws with these rates from now on; `{}` draws no more faults. Without a `random` source it has no effect. */
  setRates(rates: FaultRates): void
  /** Makes the store unreachable until `heal`: calls reject at once with `applied: 'no'` (`refuse`), or are never answered (`hang`). */
  cut(how: 'refuse' | 'hang'): void
  /** Ends a `cut` and the down time of a `death`. Calls that were never answered stay so. */
  heal(): void
}

/**
 * Puts faults between an engine and a store, to test what an application does when the store fails: scripted faults, or faults drawn from
 * a seeded source, so that the same seed gives the same run. Injected failures are `StoreError`s with code `store_failed`, transient, whose
 * `applied` says `no` or `unknown`. Batches and answers are copied, as on a network.
 *
 * ```ts
 * import { open } from 'vsa'
 * import { memory } from 'vsa/memory'
 * import { faultyStore, manualClock } from 'vsa/testing'
 *
 * const clock = manualClock()
 * const store = faultyStore(memory(), { clock, script: { exchange: [{ kind: 'lost_answer' }] } })
 * const vsa = open({ store, clock })
 * const seats = vsa.budget('seats', { initial: 2 })
 *
 * const admitted = seats.admit()
 * await clock.advance(4_000) // the engine gives up waiting, and sends the batch again
 * console.log(await admitted, store.faults.lost_answer, (await seats.peek()).used) // true 1 1
 * ```
 *
 * @param inner does the calls that arrive
 * @throws TypeError, RangeError that name the argument
 */
export function faultyStore(inner: Store, options: FaultyStoreOptions): FaultyStore {
  assertStore('inner', inner)
  assertFaultyOptions(options)
  return new FaultyNetwork(inner, options)
}

/** Sends the request once to the inner store. */
type Send<T> = () => Promise<T>

class FaultyNetwork implements FaultyStore {
  readonly capabilities: StoreCapabilities
  /** Absent where the inner store has none. */
  readonly upkeep?: (caller: Caller) => Promise<number | null>
  /** Absent where the inner store has none. */
  readonly delete?: (key: string) => Promise<boolean>
  /** As the inner store has it, without faults: it goes through a connection of the user's. */
  readonly intents?: IntentWriter
  readonly faults: Record<FaultKind, number>
  readonly calls: Record<FaultyMethod, number> = {
    join: 0,
    exchange: 0,
    upkeep: 0,
    delete: 0,
    read: 0,
    list: 0,
    owners: 0,
  }
  readonly #inner: Store
  readonly #clock: Clock
  readonly #random: Random | undefined
  readonly #delayMsMax: number
  readonly #script: Record<FaultyMethod, (Fault | undefined)[]>
  #rates: FaultRates
  #cut: 'refuse' | 'hang' | undefined
  #deadUntil = -Infinity
  #underWay = 0

  constructor(inner: Store, options: FaultyStoreOptions) {
    this.#inner = inner
    this.capabilities = inner.capabilities
    if (inner.intents !== undefined) this.intents = inner.intents
    const upkeep = inner.upkeep?.bind(inner)
    if (upkeep !== undefined) this.upkeep = (caller) => this.#call('upkeep', () => upkeep(structuredClone(caller)))
    const remove = inner.delete?.bind(inner)
    if (remove !== undefined) this.delete = (key) => this.#call('delete', () => remove(key))
    this.#clock = options.clock
    inner.useClock?.(options.clock)
    this.#random = options.random
    this.#rates = options.rates ?? {}
    this.#delayMsMax = options.delayMsMax ?? 1_000
    const script = options.script ?? {}
    const faultsFor = (method: FaultyMethod): (Fault | undefined)[] => [...(script[method] ?? [])]
    this.#script = {
      join: faultsFor('join'),
      exchange: faultsFor('exchange'),
      upkeep: faultsFor('upkeep'),
      delete: faultsFor('delete'),
      read: faultsFor('read'),
      list: faultsFor('list'),
      owners: faultsFor('owners'),
    }
    this.faults = { delay: 0, lost_request: 0, lost_answer: 0, duplicate: 0, late: 0, unknown: 0, refused: 0, death: 0 }
  }

  get underWay(): number {
    return this.#underWay
  }

  join(label: string): Promise<Joined> {
    return this.#call('join', () => this.#inner.join(label))
  }

  exchange(batch: Batch): Promise<Answer> {
    // Copied, as on a network: later changes to the caller's objects have no effect.
    const sent = structuredClone(batch)
    return this.#call('exchange', async () => structuredClone(await this.#inner.exchange(structuredClone(sent))))
  }

  read(names: readonly { readonly key: string; readonly period: number }[]): Promise<readonly BudgetRow[]> {
    const sent = structuredClone(names)
    return this.#call('read', () => this.#inner.read(sent))
  }

  list(range: ListRange): Promise<ListPage> {
    return this.#call('list', () => this.#inner.list(range))
  }

  owners(): Promise<readonly OwnerRow[]> {
    return this.#call('owners', () => this.#inner.owners())
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  useClock(clock: Clock): void {
    this.#inner.useClock?.(clock)
  }

  inject(method: FaultyMethod, fault: Fault | undefined): void {
    assertOneOf('method', method, METHODS)
    assertFault('fault', fault)
    this.#script[method].push(fault)
  }

  setRates(rates: FaultRates): void {
    assertRates('rates', rates)
    this.#rates = rates
  }

  cut(how: 'refuse' | 'hang'): void {
    assertOneOf('how', how, ['refuse', 'hang'])
    this.#cut = how
  }

  heal(): void {
    this.#cut = undefined
    this.#deadUntil = -Infinity
  }

  #call<T>(method: FaultyMethod, send: Send<T>): Promise<T> {
    this.calls[method]++
    if (this.#cut === 'hang') return never()
    if (this.#cut === 'refuse' || this.#clock.monotonic() < this.#deadUntil)
      return Promise.reject(failure(method, 'no'))
    const fault = this.#nextFault(method)
    if (fault === undefined) return send()
    this.faults[fault.kind]++
    return this.#failWith(method, fault, send)
  }

  #nextFault(method: FaultyMethod): Fault | undefined {
    const script = this.#script[method]
    if (script.length > 0) return script.shift()
    return this.#random === undefined ? undefined : drawFault(this.#random, this.#rates, this.#delayMsMax)
  }

  async #failWith<T>(method: FaultyMethod, fault: Fault, send: Send<T>): Promise<T> {
    switch (fault.kind) {
      case 'delay':
        return this.#delayed(fault.requestMs, fault.answerMs, send)
      case 'lost_request':
        return never()
      case 'lost_answer':
        await send()
        return never()
      case 'duplicate':
        this.#deliverLater(fault.afterMs, send)
        return send()
      case 'late':
        this.#deliverLater(fault.afterMs, send)
        throw failure(method, 'unknown')
      case 'unknown':
        if (fault.applied) await send()
        throw failure(method, 'unknown')
      case 'refused':
        throw failure(method, 'no')
      case 'death':
        this.#deadUntil = this.#clock.monotonic() + fault.downMs
        if (fault.applied) await send()
        throw failure(method, 'unknown')
    }
  }

  async #delayed<T>(requestMs: number, answerMs: number, send: Send<T>): Promise<T> {
    this.#underWay++
    await this.#wait(requestMs)
    this.#underWay--
    // The store became unreachable meanwhile: the request is lost.
    if (this.#unreachable()) return never()
    const answer = await send()
    await this.#wait(answerMs)
    return this.#unreachable() ? never() : answer
  }

  /** Its answer or error is dropped: the caller already has an outcome. */
  #deliverLater<T>(afterMs: number, send: Send<T>): void {
    this.#underWay++
    this.#clock.timer(afterMs, () => {
      this.#underWay--
      if (!this.#unreachable()) send().catch(() => undefined)
    })
  }

  #unreachable(): boolean {
    return this.#cut !== undefined || this.#clock.monotonic() < this.#deadUntil
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.timer(ms, resolve)
    })
  }
}

/** Never settles. The caller needs a deadline of its own, as on a network. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

function failure(method: FaultyMethod, applied: Applied): StoreError {
  const what = applied === 'no' ? 'refused' : 'interrupted, and may have been applied'
  return new StoreError('store_failed', `injected: ${method} was ${what}`, { applied, transient: true })
}
