import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ExchangeResult, ExchangeTraceContext, VsaEvent } from '../index.ts'

export interface ChannelSeriesOptions {
  readonly register: Registry
  /** Upper bounds of `vsa_exchange_duration_seconds`, in seconds. */
  readonly durationBuckets: readonly number[]
  /** Seconds of a clock that does not go back. */
  readonly nowSeconds: () => number
}

const CHANNEL_METRICS = [
  'vsa_exchanges_total',
  'vsa_exchange_duration_seconds',
  'vsa_exchange_records',
  'vsa_events_total',
  'vsa_threshold_events_total',
  'vsa_burned_units_total',
  'vsa_fenced_total',
  'vsa_invariant_violations_total',
  'vsa_store_unreachable',
]
const RESULTS: readonly ExchangeResult[] = ['ok', 'replayed', 'ambiguous', 'fenced', 'error']
const RECORD_BUCKETS = [0, 1, 3, 10, 30, 100, 300, 1_000]

/** Metrics of what this process's engines publish while they run: their events, and their exchanges. */
export class ChannelSeries {
  readonly #options: ChannelSeriesOptions
  readonly #exchanges: Counter<'result'>
  readonly #durations: Histogram
  readonly #records: Histogram
  readonly #events: Counter<'type'>
  readonly #thresholds: Counter<'policy' | 'fraction'>
  readonly #burned: Counter<'cause'>
  readonly #fenced: Counter
  readonly #violations: Counter
  readonly #unreachable: Gauge
  /** When each exchange that is in flight began. */
  readonly #begun = new WeakMap<ExchangeTraceContext, number>()
  readonly #listeners = {
    start: (context: ExchangeTraceContext) => void this.#begun.set(context, this.#options.nowSeconds()),
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (context: ExchangeTraceContext) => this.#ended(context),
    error: () => undefined,
  }
  readonly #onEvent = (event: unknown): void => {
    if (isEvent(event)) this.#count(event)
  }

  constructor(options: ChannelSeriesOptions) {
    this.#options = options
    const registers = [options.register]
    const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []): Counter<T> =>
      new Counter({ name, help, labelNames: [...labelNames], registers })
    this.#exchanges = counter('vsa_exchanges_total', 'Store calls that write, by result.', ['result'])
    for (const result of RESULTS) this.#exchanges.inc({ result }, 0)
    const buckets = [...options.durationBuckets]
    this.#durations = new Histogram({
      ...{ name: 'vsa_exchange_duration_seconds', help: 'Time until the store has answered.', buckets, registers },
    })
    this.#records = new Histogram({
      ...{ name: 'vsa_exchange_records', help: 'Rows that one exchange wrote.', buckets: RECORD_BUCKETS, registers },
    })
    this.#events = counter('vsa_events_total', 'Events, by type.', ['type'])
    this.#thresholds = counter('vsa_threshold_events_total', 'Budgets that reached a share of their limit.', [
      'policy',
      'fraction',
    ])
    this.#burned = counter('vsa_burned_units_total', 'Units of lost leases that this process saw burn.', ['cause'])
    this.#burned.inc({ cause: 'lease' }, 0)
    this.#fenced = counter('vsa_fenced_total', 'Times that this process was taken for dead.')
    this.#violations = counter('vsa_invariant_violations_total', 'Assertions that failed.')
    const [name, help] = ['vsa_store_unreachable', '1 while the store does not answer.']
    this.#unreachable = new Gauge({ name, help, registers })
    tracingChannel<ExchangeTraceContext>('vsa.exchange').subscribe(this.#listeners)
    subscribe('vsa', this.#onEvent)
  }

  /** Of all its metrics. */
  get names(): readonly string[] {
    return [...CHANNEL_METRICS]
  }

  stop(): void {
    tracingChannel<ExchangeTraceContext>('vsa.exchange').unsubscribe(this.#listeners)
    unsubscribe('vsa', this.#onEvent)
  }

  #ended(context: ExchangeTraceContext): void {
    const begun = this.#begun.get(context)
    const { result = 'error', records } = context
    this.#exchanges.inc({ result })
    if (begun !== undefined) this.#durations.observe(this.#options.nowSeconds() - begun)
    if (result === 'ok') this.#records.observe(records)
  }

  #count(event: VsaEvent): void {
    this.#events.inc({ type: event.type })
    switch (event.type) {
      case 'threshold':
        return this.#thresholds.inc({ policy: event.policy, fraction: String(event.fraction) })
      case 'burned':
        return this.#burned.inc({ cause: 'lease' }, event.units)
      case 'fenced':
        return this.#fenced.inc()
      case 'quarantined':
      case 'internal_error':
        return this.#violations.inc()
      case 'store_away':
        return this.#unreachable.set(1)
      case 'store_back':
        return this.#unreachable.set(0)
      case 'joined':
      case 'burn_limit':
      case 'store_forgot':
      case 'clock_leap':
      case 'clock_differs':
      case 'row_lost':
      case 'deleted':
      case 'policy_conflict':
      case 'policy_changed':
      case 'cost_above_lease':
      case 'refunds_refused':
      case 'counter_overflow':
      case 'additions_lost':
      case 'intent_dropped':
    }
  }
}

/** The channel `vsa` carries events alone. */
function isEvent(message: unknown): message is VsaEvent {
  return typeof message === 'object' && message !== null && 'type' in message && typeof message.type === 'string'
}

export function monotonicSeconds(): number {
  return performance.now() / 1_000
}
