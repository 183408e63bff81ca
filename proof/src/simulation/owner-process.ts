import type {
  Budget,
  Decision,
  open as openVsa,
  OpenOptions,
  Policy,
  Store,
  Vsa,
  VsaEvent,
} from '../../../packages/vsa/dist/index.js'
import type { Machine } from './machine.ts'
import { ProcessBooks } from './process-books.ts'
import { Requests } from './requests.ts'
import type { BudgetSetting, Setting } from './script.ts'

/** What a gate knows of the row that it admits from: where a `true` came from, which the public face does not tell. */
interface Peeked {
  readonly row: {
    readonly window: { readonly start: number; readonly end: number }
    readonly lease: {
      readonly spentSince: number
      readonly held: number
      readonly sent: { readonly hold: number } | null
    }
  } | null
  readonly plan: { windowAt(time: number): { readonly start: number; readonly end: number } }
}

export interface ProcessOptions {
  readonly open: typeof openVsa
  /** The how-manieth process of the run it is, from 0: it declares the policies of that version of the service. */
  readonly number: number
  readonly label: string
  readonly machine: Machine
  readonly store: Store
  readonly setting: Setting
  readonly random: () => number
  readonly onEvent: (event: VsaEvent) => void
}

/** One process with one engine: the production code, on a machine of the simulation. */
export class OwnerProcess {
  readonly number: number
  readonly label: string
  readonly machine: Machine
  readonly vsa: Vsa
  readonly books: ProcessBooks = new ProcessBooks()
  readonly requests: Requests
  /** Its last epoch; null before the first. */
  epoch: number | null = null
  /** Its callers have closed it. */
  closing = false
  /** The promise of `close` has resolved: the store confirmed it. */
  closed = false
  /** An epoch of it ended otherwise than by its own close: what was spent then is burned. */
  fenced = false
  /** Close gave up, or somebody was told that units may have been taken. */
  ambiguous = false
  readonly #setting: Setting
  readonly #handles = new Map<string, Budget>()
  #uses = 0

  constructor({ open, number, label, machine, store, setting, random, onEvent }: ProcessOptions) {
    this.number = number
    this.label = label
    this.machine = machine
    this.#setting = setting
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

  /** Takes requests. */
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

  /** A handle, as callers have them: every other time one that they have kept since the first time, which may have been evicted meanwhile. */
  budget(setting: BudgetSetting): Budget {
    this.#uses += 1
    const kept = this.#handles.get(setting.key)
    if (kept !== undefined && this.#uses % 2 === 0) return kept
    const fresh = this.#fresh(setting)
    if (kept === undefined) this.#handles.set(setting.key, fresh)
    return fresh
  }

  /** The window that the budget admits from now; undefined while it has none. */
  windowOf(setting: BudgetSetting): { readonly start: number; readonly end: number } | undefined {
    return peeked(this.#fresh(setting)).row?.window
  }

  #fresh(setting: BudgetSetting): Budget {
    return this.vsa.budget(setting.key, this.policyOf(setting))
  }

  /** The window of any time. */
  windowAt(budget: Budget, time: number): { readonly start: number; readonly end: number } {
    return peeked(budget).plan.windowAt(time)
  }

  /** Spent and not sent. */
  unsent(setting: BudgetSetting): number {
    return peeked(this.#fresh(setting)).row?.lease.spentSince ?? 0
  }

  /** An exchange that offers part of the lease back is in flight. */
  givesBack(budget: Budget): boolean {
    const lease = peeked(budget).row?.lease
    return lease?.sent !== null && lease?.sent !== undefined && lease.sent.hold < lease.held
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

function peeked(budget: Budget): Peeked {
  return budget as unknown as Peeked
}

export function isUnaccounted(decision: Decision): boolean {
  return decision.admitted && decision.unaccounted === true
}
