import { expect, test } from 'vitest'
import { memory } from '../../src/stores/memory/index.ts'
import { open } from '../../src/index.ts'
import { openTelemetryMetrics } from '../../src/opentelemetry/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { type Recorded, recordingMeter } from './recording-meter.ts'

const named = (all: readonly Recorded[], name: string): readonly Recorded[] =>
  all.filter((one) => one.name === name && one.value !== 0)

test('decisions by policy and result, units and records are read from stats when they are collected', async () => {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock, onEvent: () => undefined })
  const { meter, collect } = recordingMeter()
  const { stop } = openTelemetryMetrics(vsa, { meter })
  const calls = vsa.budgets('calls', { limit: 10, per: 'month', atRisk: 5 }).of('tenant-7')
  for (let call = 0; call < 12; call += 1) await calls.admit()
  await vsa.flush()
  const shown = collect()
  expect(named(shown, 'vsa.decisions')).toEqual([
    { name: 'vsa.decisions', value: 10, attributes: { 'vsa.policy': 'calls', 'vsa.result': 'acquired' } },
    {
      ...{ name: 'vsa.decisions', value: 2 },
      attributes: { 'vsa.policy': 'calls', 'vsa.result': 'denied', 'vsa.reason': 'exhausted' },
    },
  ])
  expect(named(shown, 'vsa.units.admitted').map(({ value }) => value)).toEqual([10])
  const { records, exchanges } = vsa.stats()
  expect(named(shown, 'vsa.records').map(({ value }) => value)).toEqual([records])
  expect(named(shown, 'vsa.exchanges').map(({ value }) => value)).toEqual([exchanges])
  expect(JSON.stringify(shown)).not.toContain('tenant')
  stop()
  expect(collect()).toEqual([])
  const { used, remaining, burned } = await calls.peek()
  expect({ used, remaining, burned }).toEqual({ used: 10, remaining: 0, burned: 0 })
  await vsa.close()
})

test('exchanges and events are recorded while they happen, and every instrument has a UCUM unit', async () => {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock, onEvent: () => undefined })
  const { meter, recorded, units } = recordingMeter()
  const { stop } = openTelemetryMetrics(vsa, { meter, nowSeconds: () => clock.monotonic() / 1_000 })
  await vsa.budgets('credits', { initial: 10 }).of('a').admit(9)
  await vsa.flush()
  const durations = named(
    recorded.map((one) => ({ ...one, value: one.value + 1 })),
    'vsa.exchange.duration',
  )
  expect(durations.map(({ value, attributes }) => ({ value, attributes }))).toEqual([
    { value: 1, attributes: { 'vsa.result': 'ok' } },
  ])
  expect(named(recorded, 'vsa.exchange.records').map(({ value }) => value)).toEqual([1])
  expect(named(recorded, 'vsa.events').map(({ attributes }) => attributes)).toContainEqual({ 'vsa.event': 'threshold' })
  for (const unit of units.values()) expect(unit).toMatch(/^(?:s|\{[a-z]+\})$/)
  stop()
  const before = recorded.length
  await vsa.close()
  expect(recorded).toHaveLength(before)
})
