import { expect, test } from 'vitest'
import type { Counter } from '../../src/index.ts'
import { meteredFetch } from '../../src/openai/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'
import { answering, chatRequest } from './answers.ts'
import { credits } from './credits.ts'

test('R4: a call without an id whose overage gets no answer of the store: all of it is booked as overage, and nothing stays reserved', async () => {
  const clock = manualClock()
  const net = faultyStore(memory({ now: () => clock.now() }), { clock })
  const { vsa, budget, settlements, onSettled, used } = credits(
    { initial: 10_000, atRisk: 2_000 },
    { store: net, clock, onEvent: () => undefined },
  )
  const overage = vsa.counter('overage:ada')
  // So that the lease has some of the overage, which is charged before the store is asked for the rest.
  for (let call = 0; call < 50; call += 1) await budget.admit(20)
  const answer = answering('hello', { input: 30, output: 5_000 })
  const fetch: typeof answer = (input, init) => {
    net.cut('refuse')
    return answer(input, init)
  }
  const call = meteredFetch({ budget, clock, onSettled, overage: () => overage, fetch })(...chatRequest())
  await clock.advance(60_000)
  expect((await call).status).toBe(200)
  net.heal()
  await clock.advance(60_000)
  const [{ reservedUnits, uncoveredUnits } = { reservedUnits: 0, uncoveredUnits: 0 }] = settlements
  expect(settlements).toMatchObject([{ usedUnits: 5_030, error: { name: 'VsaError' } }])
  expect(settlements[0]?.settledUnits).toBe(reservedUnits)
  expect(uncoveredUnits).toBe(5_030 - reservedUnits)
  expect(await overage.read()).toBe(uncoveredUnits)
  expect(await used()).toBe(50 * 20 + reservedUnits)
})

test('an overage counter that fails changes no figure of the settlement, which has its error', async () => {
  const { budget, onSettled, settlements, used } = credits(300)
  const { vsa } = credits(1)
  let looks = 0
  const failing = (): Counter => {
    looks += 1
    // The first look is whether the call may run.
    if (looks === 1) return vsa.counter('overage:ada')
    throw new Error('no counter')
  }
  const fetch = meteredFetch({
    budget,
    onSettled,
    overage: failing,
    fetch: answering('x', { input: 30, output: 500 }),
  })
  expect((await fetch(...chatRequest())).status).toBe(200)
  const figures = { usedUnits: 530, settledUnits: 300, uncoveredUnits: 230 }
  expect(settlements).toMatchObject([{ ...figures, error: { message: 'no counter' } }])
  expect(await used()).toBe(300)
})
