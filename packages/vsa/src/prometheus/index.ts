import { Counter, Gauge, type Registry, register as globalRegister } from 'prom-client'
import type { Stats, Vsa } from '../index.ts'
import { ChannelSeries, monotonicSeconds } from './channel-series.ts'
import { STATS_SERIES, type StatsSeries } from './stats-series.ts'

export interface PrometheusOptions {
  /** Where the metrics are registered. Default: the global registry of prom-client. */
  readonly register?: Registry
  /** Upper bounds of `vsa_exchange_duration_seconds`, in seconds. Default 0.001 to 2.5. */
  readonly durationBuckets?: readonly number[]
  /** For tests: seconds of a clock that does not go back. Default: that of the machine. */
  readonly nowSeconds?: () => number
}

/** What `prometheusMetrics` has registered. */
export interface PrometheusMetrics {
  /** Listens no more, and takes the metrics out of the registry. */
  stop(): void
}

const DURATION_BUCKETS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/**
 * Registers the metrics of docs/observability.md. Most are read from `vsa.stats()` at a scrape, so the hot path pays nothing; exchanges and events are
 * counted from now on, those of all engines of the process. Labels have a bound: `policy` is the name of a family, `:single` or `:other`, never an id.
 * Call it once for a registry, before the first request. @throws Error of prom-client where the registry has such metrics
 */
export function prometheusMetrics(vsa: Pick<Vsa, 'stats'>, options: PrometheusOptions = {}): PrometheusMetrics {
  const { register = globalRegister, durationBuckets = DURATION_BUCKETS, nowSeconds = monotonicSeconds } = options
  const channels = new ChannelSeries({ register, durationBuckets, nowSeconds })
  const names = STATS_SERIES.map(({ name }) => name)
  for (const series of STATS_SERIES) addSeries(series, register, () => vsa.stats())
  return {
    stop: () => {
      channels.stop()
      for (const name of [...names, ...channels.names]) register.removeSingleMetric(name)
    },
  }
}

function addSeries(series: StatsSeries, register: Registry, statsOf: () => Stats): Counter | Gauge {
  const { name, type, help, labels, samples } = series
  const options = { name, help, labelNames: [...labels], registers: [register] }
  if (type === 'gauge') {
    return new Gauge({
      ...options,
      collect() {
        for (const [label, value] of samples(statsOf())) this.set(label, value)
      },
    })
  }
  /** A settlement takes back a denial that no caller got: a counter that falls would look like a restart. */
  const told = new Map<string, number>()
  return new Counter({
    ...options,
    collect() {
      for (const [label, value] of samples(statsOf())) {
        const id = Object.values(label).join(' ')
        const before = told.get(id) ?? 0
        this.inc(label, Math.max(0, value - before))
        told.set(id, Math.max(before, value))
      }
    },
  })
}
