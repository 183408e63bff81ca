import type { Clock } from '../core/clock.ts'
import { StoreError, type Applied } from '../core/errors.ts'
import type { Answer, Batch } from '../core/exchange.ts'
import type { BudgetRow, OwnerRow } from '../core/rows.ts'
import type { Joined, ListPage, ListRange, Store, StoreCapabilities } from '../core/store.ts'
import { drawFault, type Fault, type FaultKind, type FaultRates } from './fault.ts'
import type { Random } from './random.ts'

/** The calls that faults may befall. `close` and the inner store's own failures pass through. */
export type FaultyMethod = 'join' | 'exchange' | 'read' | 'list' | 'owners'

export interface FaultyStoreOptions {
  /** The only source of time. */
  readonly clock: Clock
  /** Faults for the next calls of each method, in order; `undefined` lets one call pass unharmed. Used up before any is drawn. */
  readonly script?: Readonly<Partial<Record<FaultyMethod, readonly (Fault | undefined)[]>>>
  /** Draws faults for calls without a scripted one. Default: none are drawn. */
  readonly random?: Random
  /** Default: none. */
  readonly rates?: FaultRates
  /** The longest delay that is drawn, in ms. Default 1,000. */
  readonly delayMsMax?: number
}

/** A store behind a bad network, on a machine that dies. Everything that it lets through is done by `inner`, exactly. */
export interface FaultyStore extends Store {
  /** Faults that happened so far, by kind. */
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Calls so far, harmed or not. */
  readonly calls: Readonly<Record<FaultyMethod, number>>
  /** Requests still under way to `inner`: late, delayed, or to be delivered again. */
  readonly underWay: number
  /** Adds a fault for the next call of `method` that has none yet; `undefined` lets one call pass. */
  inject(method: FaultyMethod, fault: Fault | undefined): void
  /** Draws with these rates from now on; `{}` ends all drawn faults. */
  setRates(rates: FaultRates): void
  /** The store cannot be reached: calls are refused at once (`refuse`), or never answered (`hang`), until `heal`. */
  cut(how: 'refuse' | 'hang'): void
  /** Ends a `cut` and a death. */
  heal(): void
}

/** Puts faults between an owner and `inner`: scripted, or drawn from `random`, so that a seed tells the whole story. */
export function faultyStore(inner: Store, options: FaultyStoreOptions): FaultyStore {
  return new FaultyNetwork(inner, options)
}

/** The call as the network sees it: sending it again applies it again. */
type Send<T> = () => Promise<T>

class FaultyNetwork implements FaultyStore {
  readonly capabilities: StoreCapabilities
  readonly faults: Record<FaultKind, number>
  readonly calls: Record<FaultyMethod, number> = { join: 0, exchange: 0, read: 0, list: 0, owners: 0 }
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
    this.#clock = options.clock
    this.#random = options.random
    this.#rates = options.rates ?? {}
    this.#delayMsMax = options.delayMsMax ?? 1_000
    const script = options.script ?? {}
    const faultsFor = (method: FaultyMethod): (Fault | undefined)[] => [...(script[method] ?? [])]
    this.#script = {
      join: faultsFor('join'),
      exchange: faultsFor('exchange'),
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
    // As on a wire: what the caller does to its objects after sending reaches nobody.
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

  inject(method: FaultyMethod, fault: Fault | undefined): void {
    this.#script[method].push(fault)
  }

  setRates(rates: FaultRates): void {
    this.#rates = rates
  }

  cut(how: 'refuse' | 'hang'): void {
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
    return this.#suffer(method, fault, send)
  }

  #nextFault(method: FaultyMethod): Fault | undefined {
    const script = this.#script[method]
    if (script.length > 0) return script.shift()
    return this.#random === undefined ? undefined : drawFault(this.#random, this.#rates, this.#delayMsMax)
  }

  async #suffer<T>(method: FaultyMethod, fault: Fault, send: Send<T>): Promise<T> {
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
    // It travelled while the line was cut or the store died: it arrives nowhere.
    if (this.#unreachable()) return never()
    const answer = await send()
    await this.#wait(answerMs)
    return this.#unreachable() ? never() : answer
  }

  /** Nobody waits for this delivery: what it answers, or how it fails, is lost on the way back. */
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

/** A call that is never answered. The caller needs a deadline of its own, as it does on a real network. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined)
}

function failure(method: FaultyMethod, applied: Applied): StoreError {
  const what = applied === 'no' ? 'refused' : 'broken off, and may have been applied'
  return new StoreError('store_failed', `injected: ${method} was ${what}`, { applied, transient: true })
}
