import { AsyncLocalStorage } from 'node:async_hooks'
import { channel, tracingChannel } from 'node:diagnostics_channel'
import { afterEach, expect, test } from 'vitest'
import { traceExchange } from '../../src/engine/runtime/exchange-trace.ts'
import { type ReserveTraceContext, traceReserve } from '../../src/engine/runtime/reserve-trace.ts'
import { bench, codeOf } from './fixture.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

type Step = readonly [step: string, context: Readonly<Record<string, unknown>>]

/** Collects the steps of a tracing channel, each with a copy of its context. */
function listen(name: string): readonly Step[] {
  const heard: Step[] = []
  const to = (step: string) => (context: object) => void heard.push([step, Object.fromEntries(Object.entries(context))])
  const listeners = {
    start: to('start'),
    end: to('end'),
    asyncStart: to('asyncStart'),
    asyncEnd: to('asyncEnd'),
    error: to('error'),
  }
  const traced = tracingChannel<object>(name)
  traced.subscribe(listeners)
  stops.push(() => traced.unsubscribe(listeners))
  return heard
}

test('an exchange is published with its size, and with its records and result once the store has answered', async () => {
  const heard = listen('vsa.exchange')
  const { vsa } = bench().owner({ label: 'api-1' })
  const credits = vsa.budgets('credits', { initial: 100 })
  await Promise.all([credits.of('a').admit(3), credits.of('b').admit(4)])
  expect(heard.map(([step]) => step)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
  const asked = { label: 'api-1', epoch: vsa.stats().epoch, seq: 1, attempt: 1, entries: 2, takes: 2, changes: 0 }
  expect(heard[0]?.[1]).toEqual({ ...asked, records: 0 })
  expect(heard[3]?.[1]).toEqual({ ...asked, records: 2, result: 'ok' })
  await vsa.close()
  expect(heard.filter(([step]) => step === 'asyncEnd')).toHaveLength(vsa.stats().exchanges)
})

test('O2: an attempt that is not answered in time ends as ambiguous, and the next one, replayed, is published by itself', async () => {
  const { clock, owner } = bench()
  const { vsa, net } = owner()
  await vsa.ready()
  const heard = listen('vsa.exchange')
  net.inject('exchange', { kind: 'lost_answer' })
  const admitted = vsa.budgets('credits', { initial: 100 }).of('a').admit(3)
  await clock.advance(4_000)
  expect(await admitted).toBe(true)
  const ended = heard.filter(([step]) => step === 'asyncEnd').map(([, { attempt, result }]) => [attempt, result])
  expect(ended).toEqual([
    [1, 'ambiguous'],
    [2, 'replayed'],
  ])
  expect(heard.filter(([step]) => step === 'error')).toHaveLength(1)
  await vsa.close()
})

test('L8: nothing is published for tryAdmit, and nothing after the last listener has left', async () => {
  const { vsa, batches } = bench().owner()
  const calls = vsa.budget('calls', { limit: 1_000, per: 'month', atRisk: 100 })
  await calls.admit()
  calls.tryAdmit(20)
  await vsa.flush()
  const sent = batches.length
  const heard = listen('vsa.exchange')
  const reserved = listen('vsa.reserve')
  for (let call = 0; call < 3; call += 1) calls.tryAdmit()
  expect(calls.tryAdmit()).toBe(true)
  expect([heard, reserved, batches.length - sent]).toEqual([[], [], 0])
  for (const stop of stops.splice(0)) stop()
  await vsa.flush()
  expect(heard).toEqual([])
  await vsa.close()
})

test('L8: without a subscriber the engine makes no trace and no context', async () => {
  const batch = { epoch: 1, token: 't', incarnation: 'i', seq: 1, entries: [], takes: [], close: false }
  expect(traceExchange('label', batch, 1)).toBeUndefined()
  let contexts = 0
  const context = (): ReserveTraceContext => {
    contexts += 1
    return { keys: ['a'], units: [1], id: 'a' }
  }
  const reserve = (): Promise<string> => Promise.resolve('made')
  expect([await traceReserve(context, reserve, () => 'reserved'), contexts]).toEqual(['made', 0])
  listen('vsa.exchange')
  listen('vsa.reserve')
  expect(traceExchange('label', batch, 1)).toBeDefined()
  expect([await traceReserve(context, reserve, () => 'reserved'), contexts]).toEqual(['made', 1])
})

test('a reservation that the store keeps is published with its budgets, id and outcome', async () => {
  const heard = listen('vsa.reserve')
  const { vsa } = bench().owner()
  const credits = vsa.budget('credits', { initial: 100 })
  const terms = { ttlMs: 60_000, onExpire: 'return' } as const
  await credits.reserve(60, { id: 'a', ...terms })
  await credits.reserve(60, { id: 'a', ...terms })
  await credits.reserve(60, { id: 'b', ...terms })
  await vsa.reserveAll(
    [
      [credits, 10],
      [vsa.budget('tokens', { initial: 10 }), 5],
    ],
    { id: 'c', ...terms },
  )
  expect(heard.filter(([step]) => step === 'asyncEnd').map(([, context]) => context)).toEqual([
    { keys: ['credits'], units: [60], id: 'a', result: 'reserved' },
    { keys: ['credits'], units: [60], id: 'a', result: 'repeated' },
    { keys: ['credits'], units: [60], id: 'b', result: 'denied' },
    { keys: ['credits', 'tokens'], units: [10, 5], id: 'c', result: 'reserved' },
  ])
  await vsa.close()
})

test('a reservation that fails is published with its error, and the caller gets the same error', async () => {
  const { clock, owner } = bench()
  const { vsa } = owner({}, 'refuse')
  const heard = listen('vsa.reserve')
  const failed = vsa
    .budget('credits', { initial: 100 })
    .reserve(60, { id: 'a', ttlMs: 1_000, onExpire: 'return' })
    .catch(codeOf)
  await clock.advance(6_000)
  const code = await failed
  const error = heard.find(([step]) => step === 'error')?.[1]['error']
  expect(codeOf(error)).toBe(code)
  const closing = vsa.close().catch(() => undefined)
  await clock.advance(20_000)
  await closing
})

test('what a listener binds to the start holds in the call of the store', async () => {
  const storage = new AsyncLocalStorage<string>()
  const start = channel('tracing:vsa.exchange:start')
  start.bindStore(storage, () => 'span')
  stops.push(() => void start.unbindStore(storage))
  const { vsa, net } = bench().owner()
  const seen: (string | undefined)[] = []
  const exchange = net.exchange.bind(net)
  net.exchange = (batch) => {
    seen.push(storage.getStore())
    return exchange(batch)
  }
  await vsa.budget('credits', { initial: 100 }).admit()
  expect(seen).toEqual(['span'])
  expect(storage.getStore()).toBeUndefined()
  await vsa.close()
})
