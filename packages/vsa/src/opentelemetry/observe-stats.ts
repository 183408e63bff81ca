import type { Attributes, BatchObservableResult, Meter, MetricOptions, Observable } from '@opentelemetry/api'
import type { PolicyStats, Stats, Vsa } from '../index.ts'

/** An instrument, and what it shows. */
interface Shown {
  readonly name: string
  readonly instrument: Observable
  /** A level, not a sum. */
  readonly mayFall?: true
  readonly samples: (stats: Stats) => readonly (readonly [value: number, attributes: Attributes])[]
}

/** Instruments that read `stats()` once for each collection. @returns takes them off */
export function observeStats(meter: Meter, vsa: Pick<Vsa, 'stats'>): () => void {
  const shown = [...policyInstruments(meter), ...engineInstruments(meter)]
  const observables = shown.map(({ instrument }) => instrument)
  /** A settlement takes back a denial that no caller got: a counter that falls would look like a restart. */
  const told = new Map<string, number>()
  const observe = (result: BatchObservableResult): void => {
    const stats = vsa.stats()
    for (const { name, instrument, samples, mayFall = false } of shown) {
      for (const [value, attributes] of samples(stats)) {
        const id = `${name} ${Object.values(attributes).join(' ')}`
        const grown = mayFall ? value : Math.max(value, told.get(id) ?? 0)
        told.set(id, grown)
        result.observe(instrument, grown, attributes)
      }
    }
  }
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

function policyInstruments(meter: Meter): readonly Shown[] {
  const units = (name: string, description: string, valueOf: (policy: PolicyStats) => number): Shown => ({
    name,
    instrument: meter.createObservableCounter(name, { description, unit: '{unit}' }),
    samples: ({ policies }) => policies.map((one) => [valueOf(one), { 'vsa.policy': one.policy }]),
  })
  return [
    {
      name: 'vsa.decisions',
      instrument: meter.createObservableCounter('vsa.decisions', {
        description: 'Requests decided, by policy, result and reason.',
        unit: '{request}',
      }),
      samples: ({ policies }) => policies.flatMap(decisionsOf),
    },
    units('vsa.units.admitted', 'Units admitted.', (policy) => policy.admittedUnits),
    units('vsa.units.denied', 'Units denied.', (policy) => policy.deniedUnits),
    units('vsa.units.refunded', 'Units given back.', (policy) => policy.refundedUnits),
  ]
}

function engineInstruments(meter: Meter): readonly Shown[] {
  const counter = (name: string, options: MetricOptions, valueOf: (stats: Stats) => number): Shown => ({
    name,
    instrument: meter.createObservableCounter(name, options),
    samples: (stats) => [[valueOf(stats), {}]],
  })
  const level = (name: string, options: MetricOptions, valueOf: (stats: Stats) => number): Shown => ({
    name,
    instrument: meter.createObservableUpDownCounter(name, options),
    mayFall: true,
    samples: (stats) => [[valueOf(stats), {}]],
  })
  return [
    counter('vsa.operations', { unit: '{operation}' }, (stats) => stats.operations),
    counter('vsa.exchanges', { unit: '{call}' }, (stats) => stats.exchanges),
    counter('vsa.records', { unit: '{record}' }, (stats) => stats.records),
    counter('vsa.lease.records', { unit: '{record}' }, (stats) => stats.leaseRecords),
    level('vsa.lease.held', { unit: '{unit}' }, (stats) => stats.leasedUnits),
    level('vsa.budgets', { unit: '{budget}' }, (stats) => stats.budgets),
    level('vsa.waiters', { unit: '{request}' }, (stats) => stats.waiters),
  ]
}

function decisionsOf(one: PolicyStats): readonly (readonly [number, Attributes])[] {
  const attributes = (result: string, reason?: string): Attributes => ({
    'vsa.policy': one.policy,
    'vsa.result': result,
    ...(reason !== undefined && { 'vsa.reason': reason }),
  })
  return [
    [one.admissions, attributes('acquired')],
    [one.shadowAdmissions, attributes('acquired', 'shadow')],
    [one.unaccountedAdmissions, attributes('acquired', 'unaccounted')],
    ...Object.entries(one.denials).map(([reason, count]) => [count, attributes('denied', reason)] as const),
    [one.failures, attributes('error')],
  ]
}
