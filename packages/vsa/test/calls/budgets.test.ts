import { expect, test } from 'vitest'
import { type CallSettlement, meteredFetch } from '../../src/openai/index.ts'
import { VsaError } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'
import { bench } from '../engine/fixture.ts'
import { answering, chatRequest, streaming } from './answers.ts'
import { credits } from './credits.ts'

const WORDS = Array.from({ length: 300 }, (_, at) => ` word ${at}`)

test('a hold that runs out is extended, as long as the budget has units', async () => {
  for (const id of [undefined, () => 'call-1']) {
    const { budget, onSettled, settlements, used } = credits(10_000)
    const options = { budget, onSettled, extendTokens: 50, fetch: streaming(WORDS, null), ...(id && { id }) }
    const response = await meteredFetch(options)(...chatRequest({ stream: true, max_completion_tokens: 10 }))
    expect(await response.text()).toContain('[DONE]')
    const [{ reservedUnits, usedUnits } = { reservedUnits: 0, usedUnits: 0 }] = settlements
    expect(usedUnits).toBeGreaterThan(600)
    expect(reservedUnits).toBeGreaterThanOrEqual(usedUnits)
    expect(reservedUnits - usedUnits).toBeLessThan(200)
    expect(await used()).toBe(usedUnits)
  }
})

test('a stream goes on with what the budget has left, where that is less than extendTokens', async () => {
  for (const id of [undefined, () => 'call-1']) {
    const { budget, onSettled, settlements, used } = credits(400)
    const options = { budget, onSettled, fetch: streaming(WORDS.slice(0, 100), null), ...(id && { id }) }
    const response = await meteredFetch(options)(...chatRequest({ stream: true, max_completion_tokens: 10 }))
    expect(await response.text()).toContain('[DONE]')
    expect(settlements).toMatchObject([{ outcome: 'finished', uncoveredUnits: 0 }])
    expect(settlements[0]?.usedUnits).toBeGreaterThan(200)
    expect(await used()).toBe(settlements[0]?.usedUnits)
  }
})

test('R4: usage above the hold is charged as far as the budget has it, and the rest is booked as overage, which blocks the next call until it is paid', async () => {
  const { vsa, budget, onSettled, settlements, used } = credits(300)
  const overage = vsa.counter('overage:ada')
  const fetch = meteredFetch({
    budget,
    onSettled,
    overage: () => overage,
    fetch: answering('x', { input: 30, output: 500 }),
  })
  expect((await fetch(...chatRequest())).status).toBe(200)
  expect(settlements).toMatchObject([{ usedUnits: 530, settledUnits: 300, uncoveredUnits: 230 }])
  expect(await used()).toBe(300)
  expect(await overage.read()).toBe(230)

  // New credits do not unblock it: it is to be paid first.
  await budget.mint(1_000, { id: 'invoice-2' })
  const denied = await fetch(...chatRequest())
  expect(denied.status).toBe(429)
  expect(denied.headers.get('x-vsa-denied')).toBe('overage')
  expect(await budget.admit(230, { id: 'debt-1' })).toBe(true)
  overage.add(-230)
  expect((await fetch(...chatRequest())).status).toBe(200)
  expect(await used()).toBe(300 + 230 + 530)
})

test('without an overage counter, what the budget did not have is counted in stats, and the empty budget denies the next call', async () => {
  const { vsa, budget, used } = credits(300)
  const fetch = meteredFetch({ budget, fetch: answering('x', { input: 30, output: 500 }) })
  expect((await fetch(...chatRequest())).status).toBe(200)
  expect(vsa.stats().uncoveredUnits).toBe(230)
  expect((await fetch(...chatRequest())).status).toBe(429)
  // Also a call that costs nothing.
  const free = meteredFetch({ budget, prices: { 'gpt-test': { input: 0, output: 0 } }, fetch: answering('x', null) })
  expect((await free(...chatRequest())).status).toBe(429)
  expect(await used()).toBe(300)
})

test('with overrun, a stream goes on without a reservation, and its overage is booked', async () => {
  const { vsa, budget, onSettled, settlements, used } = credits(200)
  const overage = vsa.counter('overage:ada')
  const options = {
    budget,
    onSettled,
    overage: () => overage,
    whenSpent: 'overrun',
    fetch: streaming(WORDS, null),
  } as const
  const response = await meteredFetch(options)(...chatRequest({ stream: true, max_completion_tokens: 10 }))
  expect(await response.text()).toContain('[DONE]')
  const [{ outcome, usedUnits, uncoveredUnits } = { outcome: '', usedUnits: 0, uncoveredUnits: 0 }] = settlements
  expect(outcome).toBe('finished')
  expect(usedUnits).toBeGreaterThan(600)
  expect(uncoveredUnits).toBe(usedUnits - 200)
  expect(await overage.read()).toBe(uncoveredUnits)
  expect(await used()).toBe(200)
})

test('LiteLLM 34732, new-api 6609: calls at once cannot spend more than there is, because each reserves before it is sent', async () => {
  const { budget, used } = credits(1_000)
  let sent = 0
  const answer = answering('x', { input: 30, output: 190 })
  const fetch = meteredFetch({ budget, fetch: (input, init) => ((sent += 1), answer(input, init)) })
  const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(...chatRequest())))
  expect(answers.filter(({ ok }) => ok).length).toBe(sent)
  expect(sent).toBe(4)
  expect(await used()).toBe(880)
})

test('LiteLLM 27639: no end of a call leaves a reservation behind, so that later calls are not refused', async () => {
  const { budget, used } = credits(2_000)
  const broken = new ReadableStream({ start: (controller) => controller.error(new Error('broken')) })
  const ends = [
    async () => Promise.reject(new Error('no network')),
    async () => new Response('no JSON'),
    async () => new Response(null, { status: 204 }),
    async () => new Response('{}', { status: 500 }),
    async () => new Response(broken, { headers: { 'content-type': 'text/event-stream' } }),
    async () =>
      new Response('data: no JSON\n\ndata: {"choices":7}\n\ndata: null\n\n', {
        headers: { 'content-type': 'text/event-stream' },
      }),
    async () => Response.json({ usage: { prompt_tokens: -5, completion_tokens: 'many' } }),
    async () => Response.json({ usage: { prompt_tokens: NaN, completion_tokens: 1e300 } }),
  ]
  for (const fetch of ends)
    await meteredFetch({ budget, fetch })(...chatRequest({ stream: true }))
      .then((response) => response.text())
      .catch(() => undefined)
  // Each that was answered is charged its input; `used` fails where something is reserved.
  expect(await used()).toBeGreaterThan(20 * 5)
  expect(await used()).toBeLessThan(500)
})

test('kortix-ai/suna 7080: a call that costs more than is left is settled and recorded, and not refused at the end', async () => {
  const { budget, onSettled, settlements, used } = credits(240)
  const response = await meteredFetch({ budget, onSettled, fetch: answering('x', { input: 30, output: 9_000 }) })(
    ...chatRequest(),
  )
  expect(response.status).toBe(200)
  expect(settlements).toMatchObject([{ usedUnits: 9_030, settledUnits: 240, uncoveredUnits: 8_790 }])
  expect(await used()).toBe(240)
})

test('a stream that is never read ends after ttlMs, and is charged what was seen', async () => {
  for (const id of [undefined, () => 'call-1']) {
    const { budget, clock, onSettled, settlements, used } = credits(10_000)
    let cancelled: unknown
    const endless = new ReadableStream({
      pull: () => new Promise(() => undefined),
      cancel: (reason: unknown) => {
        cancelled = reason
      },
    })
    const fetch = async (): Promise<Response> =>
      new Response(endless, { headers: { 'content-type': 'text/event-stream' } })
    const options = { budget, clock, onSettled, fetch, ttlMs: 60_000, ...(id && { id }) }
    const response = await meteredFetch(options)(...chatRequest({ stream: true }))
    const reading = response.text()
    await clock.advance(59_000)
    expect(settlements).toEqual([])
    await Promise.all([expect(reading).rejects.toThrow(/stalled/), clock.advance(1_000)])
    expect(cancelled).toMatchObject({ name: 'CallStoppedError', reason: 'stalled', key: 'credits:ada' })
    expect(settlements).toMatchObject([{ outcome: 'stopped' }])
    expect(await used()).toBe(settlements[0]?.usedUnits)
    expect(clock.timers).toBeLessThan(5)
  }
})

test('R5: a stream that lives longer than its ttl keeps its reservation, as long as something comes', async () => {
  const { budget, clock, onSettled, settlements, used } = credits(10_000)
  let out: ReadableStreamDefaultController | undefined
  const slow = new ReadableStream({ start: (controller) => (out = controller) })
  const fetch = async (): Promise<Response> => new Response(slow, { headers: { 'content-type': 'text/event-stream' } })
  const options = { budget, clock, onSettled, fetch, ttlMs: 60_000, id: () => 'call-1' }
  const response = await meteredFetch(options)(...chatRequest({ stream: true }))
  const reading = response.text()
  for (let minute = 0; minute < 5; minute += 1) {
    out?.enqueue(Buffer.from(': still here\n\n'))
    await clock.advance(30_000)
    expect((await budget.peek()).reserved).toBeGreaterThan(200)
    // An expired one cannot be extended any more.
    expect(await budget.reservation('call-1').extend({ units: 1 })).toBe(true)
  }
  out?.close()
  await reading
  expect(settlements).toMatchObject([{ outcome: 'broken', uncoveredUnits: 0 }])
  expect(await used()).toBe(settlements[0]?.usedUnits)
})

test('a counter that tells no number is an error before a call; it neither breaks a stream nor makes it free, as one that throws', async () => {
  const { budget, onSettled, settlements, used } = credits(10_000)
  const bad = [() => NaN, () => -1, () => 0.5, () => '7' as never]
  for (const countTokens of bad)
    await expect(
      meteredFetch({ budget, countTokens, fetch: streaming(WORDS, null) })(...chatRequest()),
    ).rejects.toThrow(/tokens/)
  expect(await used()).toBe(0)
  const throwing = (): never => {
    throw new Error('Disallowed special token found: <|endoftext|>')
  }
  // The text of a user must not make a call fail.
  const estimates: number[] = []
  for (const countTokens of [undefined, throwing]) {
    const fetch = answering('x', { input: 30, output: 100 })
    const told = ({ reservedUnits }: CallSettlement): number => estimates.push(reservedUnits)
    const options = { budget, onSettled: told, fetch, ...(countTokens && { countTokens }) }
    expect((await meteredFetch(options)(...chatRequest())).status).toBe(200)
  }
  expect(estimates[1]).toBe(estimates[0])
  for (const later of [...bad, throwing]) {
    let calls = 0
    const countTokens = (): number => ((calls += 1) === 1 ? 20 : later())
    const response = await meteredFetch({ budget, onSettled, countTokens, fetch: streaming(WORDS, null) })(
      ...chatRequest({ stream: true }),
    )
    expect(await response.text()).toContain('[DONE]')
  }
  expect(settlements.every(({ usedUnits }) => usedUnits > 600)).toBe(true)
  expect(await used()).toBe(2 * 130 + settlements.reduce((sum, { usedUnits }) => sum + usedUnits, 0))
})

test('where the store does not answer, the call is as the engine says: an error, a denial, or sent without an account', async () => {
  for (const onStoreUnavailable of ['throw', 'deny', 'allow'] as const) {
    const clock = manualClock()
    const net = faultyStore(memory({ now: () => clock.now() }), { clock })
    const { vsa, budget } = credits(1_000, { store: net, clock, onStoreUnavailable, onEvent: () => undefined })
    await vsa.ready()
    net.cut('refuse')
    const options = {
      budget,
      overage: () => vsa.counter('overage:ada'),
      fetch: answering('x', { input: 30, output: 100 }),
    }
    const answer = meteredFetch(options)(...chatRequest()).catch((error: unknown) => error)
    await clock.advance(20_000)
    const outcome = await answer
    if (onStoreUnavailable === 'throw') expect(outcome).toBeInstanceOf(VsaError)
    else expect((outcome as Response).status).toBe(onStoreUnavailable === 'deny' ? 429 : 200)
    net.heal()
    await clock.advance(20_000)
    expect(await budget.peek()).toMatchObject({ used: 0, reserved: 0 })
  }
})

test.each([undefined, () => 'call-1'])(
  'a denied call has the reason of its reservation, also where nothing is kept of the budget between calls: id %s',
  async (id) => {
    const { vsa, budget } = credits(1_000, { budgetsMax: 1 })
    await budget.admit(900)
    await vsa.budget('other', { initial: 1 }).admit()
    await vsa.budget('another', { initial: 1 }).admit()
    const denied = await meteredFetch({ budget, fetch: answering('x', null), ...(id && { id }) })(...chatRequest())
    expect([denied.status, denied.headers.get('x-vsa-denied'), denied.headers.get('retry-after')]).toEqual([
      429,
      'exhausted',
      null,
    ])
    expect(await denied.text()).toContain('units: exhausted.')
    await vsa.flush()
    expect(await budget.peek()).toMatchObject({ used: 900, reserved: 0, remaining: 100 })
  },
)

test('a denied call says that another process holds the units, and comes again after a flush interval', async () => {
  const { owner, clock } = bench()
  const [one, other] = [owner({ deadlineMs: 500 }), owner()]
  const leased = { initial: 1_000, atRisk: 1_000 } as const
  await one.vsa.ready()
  other.vsa.budget('credits', leased).tryAdmit(1_000)
  await clock.settle()
  other.vsa.budget('credits', leased).tryAdmit(900)
  other.net.cut('hang')
  const budget = one.vsa.budget('credits', leased)
  const asked = meteredFetch({ budget, clock, fetch: answering('x', null) })(...chatRequest())
  await clock.advance(1_000)
  const denied = await asked
  expect([denied.headers.get('x-vsa-denied'), denied.headers.get('retry-after')]).toEqual(['reserved', '1'])
  expect(await budget.peek()).toMatchObject({ used: 0, reserved: 0 })
})

test('a call whose settlement gets no answer does not fail: onSettled has the error, and what was reserved stays charged until the store is back', async () => {
  const clock = manualClock()
  const net = faultyStore(memory({ now: () => clock.now() }), { clock })
  const { budget, settlements, onSettled } = credits(1_000, { store: net, clock, onEvent: () => undefined })
  const answer = answering('hello', { input: 30, output: 100 })
  const fetch: typeof answer = (input, init) => {
    net.cut('refuse')
    return answer(input, init)
  }
  const call = meteredFetch({ budget, clock, onSettled, id: () => 'call-1', fetch })(...chatRequest())
  await clock.advance(20_000)
  expect((await call).status).toBe(200)
  expect(settlements).toMatchObject([{ usedUnits: 130, error: { name: 'VsaError', code: 'store_unavailable' } }])
  expect(settlements[0]?.settledUnits).toBe(settlements[0]?.reservedUnits)
  net.heal()
  await clock.advance(20_000)
  await budget.reservation('call-1').settle(130)
  expect(await budget.peek()).toMatchObject({ used: 130, reserved: 0 })
})

test('LiteLLM 38157: a stream that runs when the process closes its engine is charged all that was reserved', async () => {
  for (const id of [undefined, () => 'call-1']) {
    const { owner, clock } = bench()
    const { vsa } = owner()
    const settlements: CallSettlement[] = []
    const onSettled = (settlement: CallSettlement): number => settlements.push(settlement)
    const options = {
      budget: vsa.budget('ada', { initial: 1_000 }),
      clock,
      onSettled,
      fetch: streaming(WORDS, null),
      ...(id && { id }),
    }
    const response = await meteredFetch(options)(...chatRequest({ stream: true }))
    const reader = response.body?.getReader()
    await reader?.read()
    await vsa.close()
    await reader?.cancel()
    expect(settlements).toMatchObject([{ outcome: 'aborted', error: { code: 'closed' } }])
    const { used, reserved } = await owner().vsa.budget('ada', { initial: 1_000 }).peek()
    expect(used + reserved).toBe(settlements[0]?.reservedUnits)
    expect(used + reserved).toBeGreaterThan(200)
  }
})

test('an onSettled that throws is a warning', async () => {
  const { budget, used } = credits(1_000)
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const onSettled = (): never => {
    throw new Error('my log is full')
  }
  await meteredFetch({ budget, onSettled, fetch: answering('x', { input: 30, output: 100 }) })(...chatRequest())
  expect(await warned).toMatchObject({ message: 'my log is full' })
  expect(await used()).toBe(130)
})
