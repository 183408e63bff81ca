import type {
  Answer,
  Applied,
  Batch,
  BudgetRow,
  Joined,
  ListPage,
  OwnerRow,
  Store,
  StoreCapabilities,
} from '../../../packages/vsa/dist/index.js'
import type { Rng } from './rng.ts'
import type { Machine } from './machine.ts'
import type { Scenarios } from './scenarios.ts'
import type { FaultRates } from './script.ts'
import type { Caller, StoreHost } from './store-host.ts'
import type { Timeline } from './timeline.ts'

export const FAULTS = ['refused', 'requestLost', 'answerLost', 'reset', 'duplicated', 'slow', 'storeDies'] as const
export type Fault = (typeof FAULTS)[number]

/** The network state that all connections of a run share. */
export interface Network {
  readonly timeline: Timeline
  readonly host: StoreHost
  /** The faults of messages that are sent from now on. */
  faultRates: FaultRates
  /** Messages with a fault, by its kind. */
  readonly faults: Record<Fault, number>
  /** Calls made while the store was down. */
  refusedByOutage: number
  readonly scenarios: Scenarios
  /** Whether engines may call for upkeep. A store that a user wraps may leave it out. */
  readonly hasUpkeep: boolean
  /** The failure that a client of the store reports. */
  readonly failure: (message: string, applied: Applied) => Error
}

/** Called with each exchange that was done and whose answer is lost. */
export type OnAnswerLost = (batch: Batch, answer: Answer) => void

/** The connection of one process to the store. Every call is a message, and its answer another one. */
export class Wire implements Store {
  readonly capabilities: StoreCapabilities
  readonly upkeep?: (caller: Caller) => Promise<number | null>
  readonly #network: Network
  readonly #machine: Machine
  readonly #rng: Rng
  readonly #corrupt: string | null
  readonly #onAnswerLost: OnAnswerLost

  constructor(network: Network, machine: Machine, rng: Rng, corrupt: string | null, onAnswerLost: OnAnswerLost) {
    this.capabilities = network.host.capabilities
    this.#network = network
    this.#machine = machine
    this.#rng = rng
    this.#corrupt = corrupt
    this.#onAnswerLost = onAnswerLost
    if (network.hasUpkeep) this.upkeep = (caller) => this.#call(() => network.host.upkeep(caller))
  }

  join(label: string): Promise<Joined> {
    return this.#call(() => this.#network.host.join(label))
  }

  exchange(batch: Batch): Promise<Answer> {
    const sent = this.#corrupt === null ? batch : this.#corrupted(batch)
    return this.#call(
      () => this.#network.host.exchange(sent),
      (answer) => this.#onAnswerLost(sent, answer),
    )
  }

  delete(key: string): Promise<boolean> {
    return this.#call(() => this.#network.host.delete(key))
  }

  read(names: readonly { readonly key: string; readonly period: number }[]): Promise<readonly BudgetRow[]> {
    return this.#call(() => this.#network.host.read(names))
  }

  list(): Promise<ListPage> {
    return this.#call(() => this.#network.host.list())
  }

  owners(): Promise<readonly OwnerRow[]> {
    return this.#call(() => this.#network.host.owners())
  }

  async close(): Promise<void> {}

  /** A bug in the owner: one budget's entries settle units that were never leased. */
  #corrupted(batch: Batch): Batch {
    const entries = batch.entries.map((entry) =>
      entry.kind === 'budget' && entry.key === this.#corrupt ? { ...entry, spent: entry.spent + 1e9 } : entry,
    )
    return { ...batch, entries }
  }

  #call<T>(send: () => Promise<T>, lost?: (answer: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      new Message(this.#network, this.#machine, this.#rng, { send, resolve, reject, lost }).go()
    })
  }
}

interface Call<T> {
  readonly send: () => Promise<T>
  readonly resolve: (answer: T) => void
  readonly reject: (error: unknown) => void
  readonly lost: ((answer: T) => void) | undefined
}

/** One request in flight, with its fault. */
class Message<T> {
  readonly #network: Network
  readonly #machine: Machine
  readonly #rng: Rng
  readonly #call: Call<T>
  readonly #latencyMs: () => number

  constructor(network: Network, machine: Machine, rng: Rng, call: Call<T>) {
    this.#network = network
    this.#machine = machine
    this.#rng = rng
    this.#call = call
    const { latencyMaxMs } = network.faultRates
    this.#latencyMs = () => rng.random() * latencyMaxMs
  }

  go(): void {
    const fault = this.#draw()
    if (fault !== undefined) this.#network.faults[fault] += 1
    switch (fault) {
      case undefined:
        return this.#arrive(this.#latencyMs(), this.#latencyMs())
      case 'refused':
        return this.#fail(this.#latencyMs(), 'connection refused', 'no')
      case 'requestLost':
        return
      case 'answerLost':
        return this.#arrive(this.#latencyMs(), null)
      case 'reset':
        if (this.#rng.chance(0.7)) this.#arrive(4 * this.#latencyMs(), null)
        return this.#fail(2 * this.#latencyMs(), 'connection reset', 'unknown')
      case 'duplicated': {
        const copies = this.#rng.whole(1, 2)
        this.#network.scenarios.note('7 message duplicated', copies)
        for (let copy = 0; copy < copies; copy += 1) this.#arrive(this.#rng.random() * 2_000, this.#latencyMs())
        return this.#arrive(this.#latencyMs(), this.#latencyMs())
      }
      case 'slow': {
        const { slowMaxMs } = this.#network.faultRates
        return this.#arrive(this.#rng.random() * slowMaxMs, this.#rng.random() * slowMaxMs)
      }
      case 'storeDies':
        return this.#killStore()
    }
  }

  #draw(): Fault | undefined {
    let point = this.#rng.random()
    for (const fault of FAULTS) {
      point -= this.#network.faultRates[fault]
      if (point < 0) return fault
    }
    return undefined
  }

  /** @param backMs the latency of the answer; null when it is lost */
  #arrive(afterMs: number, backMs: number | null): void {
    const { timeline, host, scenarios } = this.#network
    if (afterMs + (backMs ?? 0) >= 2_000) scenarios.note('20 answer after 2 s or never')
    timeline.after(afterMs, () => {
      if (host.down !== null) return this.#meetOutage(backMs)
      this.#call.send().then(
        (answer) =>
          backMs === null ? this.#call.lost?.(answer) : this.#back(backMs, () => this.#call.resolve(answer)),
        (error: unknown) => this.#back(backMs ?? 0, () => this.#call.reject(error)),
      )
    })
  }

  #meetOutage(backMs: number | null): void {
    this.#network.refusedByOutage += 1
    this.#network.scenarios.note('8 store down')
    if (this.#network.host.down === 'refused' && backMs !== null) this.#fail(backMs, 'connection refused', 'no')
  }

  /** The store's process dies during this call. The call was done completely or not at all. */
  #killStore(): void {
    const { timeline, host, scenarios } = this.#network
    const downMs = this.#rng.whole(5, 1_500)
    const isApplied = this.#rng.chance(0.5)
    timeline.after(this.#latencyMs(), () => {
      if (host.down !== null) return
      scenarios.note(isApplied ? '8 store dies, batch applied' : '8 store dies, batch not applied')
      const die = (): void => host.fail(this.#rng.chance(0.5) ? 'refused' : 'silent', downMs)
      if (!isApplied) return die()
      // No other message reaches the store between the commit and its death.
      this.#call.send().then(
        (answer) => this.#call.lost?.(answer),
        () => undefined,
      )
      timeline.soon(die)
    })
    if (this.#rng.chance(0.5)) this.#fail(2 * this.#network.faultRates.latencyMaxMs, 'connection reset', 'unknown')
  }

  #fail(afterMs: number, message: string, applied: Applied): void {
    this.#back(afterMs, () => this.#call.reject(this.#network.failure(message, applied)))
  }

  #back(afterMs: number, run: () => void): void {
    this.#network.timeline.after(afterMs, () => this.#machine.reach(run))
  }
}
