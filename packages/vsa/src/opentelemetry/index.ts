import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { performance } from 'node:perf_hooks'
import { type Meter, metrics } from '@opentelemetry/api'
import type { ExchangeTraceContext, Vsa, VsaEvent } from '../index.ts'
import { observeStats } from './observe-stats.ts'

export interface OpenTelemetryOptions {
  /** Default: the meter `vsa` of the global provider. Set that one before the call. */
  readonly meter?: Meter
  /** For tests: seconds of a clock that does not go back. Default: that of the machine. */
  readonly nowSeconds?: () => number
}

/** What `openTelemetryMetrics` has started. */
export interface OpenTelemetryMetrics {
  /** Observes and listens no more. */
  stop(): void
}

/**
 * Makes the instruments of docs/observability.md. Most are observable and read `vsa.stats()` when they are collected, so the hot path pays nothing;
 * exchanges and events are recorded from now on, those of all engines of the process. Attributes have a bound: `vsa.policy` is the name of a family,
 * `:single` or `:other`, never an id.
 */
export function openTelemetryMetrics(
  vsa: Pick<Vsa, 'stats'>,
  options: OpenTelemetryOptions = {},
): OpenTelemetryMetrics {
  const { meter = metrics.getMeter('vsa'), nowSeconds = () => performance.now() / 1_000 } = options
  const stopObserving = observeStats(meter, vsa)
  const stopExchanges = recordExchanges(meter, nowSeconds)
  const stopEvents = recordEvents(meter)
  return {
    stop: () => {
      stopObserving()
      stopExchanges()
      stopEvents()
    },
  }
}

function recordExchanges(meter: Meter, nowSeconds: () => number): () => void {
  const durations = meter.createHistogram('vsa.exchange.duration', {
    description: 'Time until the store has answered.',
    unit: 's',
  })
  const records = meter.createHistogram('vsa.exchange.records', {
    description: 'Rows that one exchange wrote.',
    unit: '{record}',
  })
  const begun = new WeakMap<ExchangeTraceContext, number>()
  const channel = tracingChannel<ExchangeTraceContext>('vsa.exchange')
  const listeners = {
    start: (context: ExchangeTraceContext) => void begun.set(context, nowSeconds()),
    end: () => undefined,
    asyncStart: () => undefined,
    asyncEnd: (context: ExchangeTraceContext) => {
      const startedAt = begun.get(context)
      const { result = 'error' } = context
      if (startedAt !== undefined) durations.record(nowSeconds() - startedAt, { 'vsa.result': result })
      if (result === 'ok') records.record(context.records)
    },
    error: () => undefined,
  }
  channel.subscribe(listeners)
  return () => channel.unsubscribe(listeners)
}

function recordEvents(meter: Meter): () => void {
  const events = meter.createCounter('vsa.events', { description: 'Events, by type.', unit: '{event}' })
  const burned = meter.createCounter('vsa.units.burned', {
    description: 'Units of lost leases that this process saw burn.',
    unit: '{unit}',
  })
  const onEvent = (message: unknown): void => {
    if (!isEvent(message)) return
    events.add(1, { 'vsa.event': message.type })
    if (message.type === 'burned') burned.add(message.units)
  }
  subscribe('vsa', onEvent)
  return () => void unsubscribe('vsa', onEvent)
}

/** The channel `vsa` carries events alone. */
function isEvent(message: unknown): message is VsaEvent {
  return typeof message === 'object' && message !== null && 'type' in message && typeof message.type === 'string'
}
