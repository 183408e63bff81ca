import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { expect, test } from 'vitest'
import { open } from 'vsa'
import { memory } from 'vsa/memory'
import { openTelemetryMetrics } from 'vsa/opentelemetry'

test('the SDK collects decisions by policy, and the durations of exchanges', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  const vsa = open({ store: memory() })
  const { stop } = openTelemetryMetrics(vsa, { meter: provider.getMeter('vsa') })
  const calls = vsa.budgets('calls', { limit: 10, per: 'month' }).of('tenant-7')
  for (let call = 0; call < 12; call += 1) await calls.admit()
  await vsa.flush()
  await reader.forceFlush()
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  const decisions = all.find(({ descriptor }) => descriptor.name === 'vsa.decisions')
  expect(
    decisions?.dataPoints.filter(({ value }) => value !== 0).map(({ attributes, value }) => [attributes, value]),
  ).toEqual([
    [{ 'vsa.policy': 'calls', 'vsa.result': 'acquired' }, 10],
    [{ 'vsa.policy': 'calls', 'vsa.result': 'denied', 'vsa.reason': 'exhausted' }, 2],
  ])
  const durations = all.find(({ descriptor }) => descriptor.name === 'vsa.exchange.duration')
  expect(durations?.descriptor.unit).toBe('s')
  expect(durations?.dataPoints.map(({ value }) => (typeof value === 'object' ? value.count : value))).toEqual([
    vsa.stats().exchanges,
  ])
  stop()
  await vsa.close()
  await provider.shutdown()
})
