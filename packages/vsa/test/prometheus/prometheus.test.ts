import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { memory } from '../../src/stores/memory/index.ts'
import { open, type Vsa } from '../../src/index.ts'
import { type PrometheusMetrics, prometheusMetrics } from '../../src/prometheus/index.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'

const observing: PrometheusMetrics[] = []
afterEach(() => {
  for (const metrics of observing.splice(0)) metrics.stop()
})

function observed(vsa: Vsa, nowSeconds?: () => number): Registry {
  const register = new Registry()
  observing.push(prometheusMetrics(vsa, { register, ...(nowSeconds !== undefined && { nowSeconds }) }))
  return register
}

/** The lines of the exposition that begin with one of the names. */
async function lines(register: Registry, ...names: readonly string[]): Promise<readonly string[]> {
  const text = await register.metrics()
  return text.split('\n').filter((line) => names.some((name) => line.startsWith(name)) && !line.endsWith(' 0'))
}

test('decisions and units by policy are what the callers were told', async () => {
  const clock = manualClock()
  const vsa = open({ store: memory(), clock, onEvent: () => undefined })
  const register = observed(vsa)
  const calls = vsa.budgets('calls', { limit: 10, per: 'month', atRisk: 5 })
  for (let call = 0; call < 12; call += 1) await calls.of('tenant-7').admit()
  await vsa.budget('concert-42', { initial: 3 }).admit(2)
  calls.of('tenant-7').refund(4)
  await vsa.flush()
  expect(
    await lines(register, 'vsa_decisions_total', 'vsa_admitted_units', 'vsa_denied_units', 'vsa_refunded_units'),
  ).toEqual([
    'vsa_decisions_total{policy=":single",outcome="admitted",reason=""} 1',
    'vsa_decisions_total{policy="calls",outcome="admitted",reason=""} 10',
    'vsa_decisions_total{policy="calls",outcome="denied",reason="exhausted"} 2',
    'vsa_admitted_units_total{policy=":single"} 2',
    'vsa_admitted_units_total{policy="calls"} 10',
    'vsa_denied_units_total{policy="calls"} 2',
    'vsa_refunded_units_total{policy="calls"} 4',
  ])
  // The same again: a counter is not added twice.
  expect(await lines(register, 'vsa_admitted_units_total{policy="calls"}')).toEqual([
    'vsa_admitted_units_total{policy="calls"} 10',
  ])
  const { used, remaining, burned } = await calls.of('tenant-7').peek()
  expect({ used, remaining, burned }).toEqual({ used: 6, remaining: 4, burned: 0 })
  await vsa.close()
})

test('no key and no id is in any label, with 200 tenants, and the number of series stays the same', async () => {
  const vsa = open({ store: memory(), clock: manualClock(), onEvent: () => undefined })
  const register = observed(vsa)
  const calls = vsa.budgets('calls', { limit: 2, per: 'month' })
  await calls.of('tenant-0').admit()
  await vsa.flush()
  const series = async (): Promise<number> =>
    (await register.metrics()).split('\n').filter((line) => !line.startsWith('#')).length
  const before = await series()
  for (let at = 1; at < 200; at += 1) await calls.of(`tenant-${at}`).admit(2)
  await vsa.flush()
  // Two more: the events `joined` and `threshold` have come, the latter with two fractions.
  expect((await series()) - before).toBeLessThanOrEqual(4)
  expect(await register.metrics()).not.toContain('tenant')
  expect(await lines(register, 'vsa_threshold_events_total')).toEqual([
    'vsa_threshold_events_total{policy="calls",fraction="0.8"} 199',
    'vsa_threshold_events_total{policy="calls",fraction="1"} 199',
  ])
  await vsa.close()
})

test('a threshold is counted with the policy that counts its admissions: the 64 first families, then :other; a key of its own is :single, whatever its name', async () => {
  const vsa = open({ store: memory(), clock: manualClock(), thresholds: [1], onEvent: () => undefined })
  const register = observed(vsa)
  for (let at = 1; at <= 66; at += 1) await vsa.budgets(`family-${at}`, { limit: 1, per: 'month' }).of('a').admit()
  for (const key of ['credits', 'credits:ada']) await vsa.budget(key, { initial: 1 }).admit()
  await vsa.flush()
  const events = await lines(register, 'vsa_threshold_events_total')
  expect(events).toHaveLength(64 + 2)
  for (const [policy, count] of [
    ['family-1', 1],
    ['family-64', 1],
    [':other', 2],
    [':single', 2],
  ])
    // oxfmt-ignore
    expect(events).toContain(`vsa_threshold_events_total{policy="${policy}",fraction="1"} ${count}`)
  const admitted = await lines(register, 'vsa_admitted_units_total')
  const ofThresholds = events.map((line) =>
    line.replace('threshold_events', 'admitted_units').replace(',fraction="1"', ''),
  )
  expect(ofThresholds.toSorted()).toEqual(admitted.toSorted())
  await vsa.close()
})

test('exchanges are counted by result and timed by the clock that was handed in', async () => {
  const clock = manualClock()
  const store = faultyStore(memory(), { clock, script: { exchange: [{ kind: 'lost_answer' }] } })
  const vsa = open({ store, clock, random: () => 0.5, onEvent: () => undefined })
  await vsa.ready()
  const register = observed(vsa, () => clock.monotonic() / 1_000)
  const admitted = vsa.budgets('calls', { limit: 10, per: 'month' }).of('a').admit()
  await clock.advance(4_000)
  expect(await admitted).toBe(true)
  expect(
    await lines(
      register,
      'vsa_exchanges_total',
      'vsa_exchange_duration_seconds_sum',
      'vsa_exchange_duration_seconds_count',
    ),
  ).toEqual([
    // The lease goes back, because nothing more is asked for.
    'vsa_exchanges_total{result="ok"} 1',
    'vsa_exchanges_total{result="replayed"} 1',
    'vsa_exchanges_total{result="ambiguous"} 1',
    'vsa_exchange_duration_seconds_sum 2',
    'vsa_exchange_duration_seconds_count 3',
  ])
  await vsa.close()
})

test('the store that is away, and back, is a gauge, and the events are counted by type', async () => {
  const clock = manualClock()
  const store = faultyStore(memory(), { clock })
  const vsa = open({ store, clock, random: () => 0.5, onEvent: () => undefined })
  await vsa.ready()
  const register = observed(vsa)
  const calls = vsa.budgets('calls', { limit: 10, per: 'month' }).of('a')
  store.cut('refuse')
  const failed = calls.admit().catch(() => 'failed')
  await clock.advance(6_000)
  expect(await failed).toBe('failed')
  expect(
    await lines(register, 'vsa_store_unreachable', 'vsa_events_total', 'vsa_decisions_total{policy="calls"'),
  ).toEqual([
    'vsa_events_total{type="store_away"} 1',
    'vsa_store_unreachable 1',
    'vsa_decisions_total{policy="calls",outcome="error",reason=""} 1',
  ])
  store.heal()
  const again = calls.admit()
  await clock.advance(6_000)
  expect(await again).toBe(true)
  expect(await lines(register, 'vsa_store_unreachable', 'vsa_events_total{type="store_back"')).toEqual([
    'vsa_events_total{type="store_back"} 1',
  ])
  await vsa.close()
})

test('after stop the registry is empty and may be used again', async () => {
  const vsa = open({ store: memory(), clock: manualClock(), onEvent: () => undefined })
  const register = new Registry()
  prometheusMetrics(vsa, { register }).stop()
  expect(await register.metrics()).toBe('\n')
  expect(() => prometheusMetrics(vsa, { register }).stop()).not.toThrow()
  await vsa.close()
})

test('a scrape reads stats once for each metric, and a decision reads nothing', async () => {
  const vsa = open({ store: memory(), clock: manualClock(), onEvent: () => undefined })
  let reads = 0
  const counted = { stats: () => ((reads += 1), vsa.stats()) }
  const register = new Registry()
  observing.push(prometheusMetrics(counted, { register }))
  const calls = vsa.budgets('calls', { limit: 1_000, per: 'month', atRisk: 100 }).of('a')
  for (let call = 0; call < 50; call += 1) await calls.admit()
  expect(reads).toBe(0)
  await register.metrics()
  expect(reads).toBeGreaterThan(0)
  expect(reads).toBeLessThan(40)
  await vsa.close()
})
