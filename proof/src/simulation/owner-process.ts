import type {
  Accounted,
  Budget,
  Decision,
  open as openVsa,
  OpenOptions,
  Policy,
  Refused,
  Store,
  Vsa,
  VsaEvent,
} from '../../../packages/vsa/dist/index.js'
import type { Machine } from './machine.ts'
import { OwnerExchanges } from './owner-exchanges.ts'
import { PastDecisions } from './past-decisions.ts'
import { ProcessTotals } from './process-totals.ts'
import { Requests } from './requests.ts'
import type { BudgetSetting, Setting } from './script.ts'

export interface ProcessOptions {
  readonly open: typeof openVsa
  /** Which process of the run it is, from 0: it declares the policies of that version of the service. */
  readonly number: number
  readonly label: string
  readonly machine: Machine
  readonly store: Store
  readonly setting: Setting
  readonly random: () => number
  readonly onEvent: (event: VsaEvent) => void
}

/** One process with one engine: the production code, on a machine of the simulation. The engine is used through its public interface alone. */
export class OwnerProcess {
  readonly number: number
  readonly label: string
  readonly machine: Machine
  readonly vsa: Vsa
  readonly totals: ProcessTotals = new ProcessTotals()
  readonly exchanges: OwnerExchanges
  readonly requests: Requests
  readonly decisions: PastDecisions = new PastDecisions()
  /** Keys that its callers asked to delete, one for each call, and those of which the store has answered that nothing is left. */
  readonly deletions: { readonly asked: string[]; readonly answered: string[] } = { asked: [], answered: [] }
  /** Its current or last epoch; null before the first. */
  epoch: number | null = null
  /** Its callers have called `close`. */
  closing = false
  /** The promise of `close` has resolved: the store confirmed it. */
  closed = false
  /** One of its epochs ended without a close, so units may have burned. */
  fenced = false
  /** The store no longer knew one of its epochs, whose last batch it had not answered: what that took stays taken (L4). */
  forgotten = false
  /** `close` failed: units may have been taken. */
  ambiguous = false
  readonly #setting: Setting
  readonly #handles = new Map<string, Budget>()
  #uses = 0

  constructor({ open, number, label, machine, store, setting, random, onEvent }: ProcessOptions) {
    this.number = number
    this.label = label
    this.machine = machine
    this.#setting = setting
    this.exchanges = new OwnerExchanges(setting.leaseTtlMs)
    this.requests = new Requests(() => machine.monotonic())
    const options: OpenOptions = {
      store,
      clock: machine,
      label,
      random,
      onEvent,
      flushIntervalMs: setting.flushIntervalMs,
      deadlineMs: setting.deadlineMs,
      exchangeTimeoutMs: setting.exchangeTimeoutMs,
      budgetsMax: setting.budgetsMax,
      waitersMax: setting.waitersMax,
      onStoreUnavailable: setting.onStoreUnavailable,
    }
    this.vsa = open(options)
  }

  /** Accepts requests. */
  get serves(): boolean {
    return this.machine.running && !this.closing
  }

  get name(): string {
    return `${this.label}#${this.number}`
  }

  /** The policy that this version of the service declares. */
  policyOf({ policies }: BudgetSetting): Policy {
    return policies[this.number % policies.length] ?? policies[0]
  }

  /** A handle for a caller. Every other call returns the first handle, whose budget may have been evicted meanwhile. */
  budget(setting: BudgetSetting): Budget {
    this.#uses += 1
    const kept = this.#handles.get(setting.key)
    if (kept !== undefined && this.#uses % 2 === 0) return kept
    const fresh = this.vsa.budget(setting.key, this.policyOf(setting))
    if (kept === undefined) this.#handles.set(setting.key, fresh)
    return fresh
  }

  /** The handle of the first use, and a fresh one: both lead to one gate (G5). */
  handlesOf(setting: BudgetSetting): readonly [Budget, Budget] {
    const fresh = this.vsa.budget(setting.key, this.policyOf(setting))
    return [this.#handles.get(setting.key) ?? fresh, fresh]
  }

  /** A durable budget refuses `tryAdmit`. */
  isDurable({ atRiskMax }: BudgetSetting): boolean {
    return atRiskMax === 0
  }

  /** How long a request may wait, in ms. */
  deadlineOf(given: number | null): number {
    return given ?? this.#setting.deadlineMs
  }
}

/** A decision of the store, or of what it leased. */
export type StoreDecision = Accounted | Refused

/** Null where the store did not answer: `onStoreUnavailable` decided. */
export function ofStore(decision: Decision): StoreDecision | null {
  return decision.unaccounted === true || decision.reason === 'unavailable' ? null : decision
}
