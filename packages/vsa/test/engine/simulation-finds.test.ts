import { expect, test } from 'vitest'
import { bench, FLUSH_MS } from './fixture.ts'

/* What the simulation has found in the engine, each as short as it could be told. The scripts themselves are in `proof/corpus`. */

const HOUR_MS = 3_600_000

test('S2 S10 L3: a refund that counted is not called refused because its row has gone before the answer could be repeated', async () => {
  const { clock, owner } = bench({ leaseTtlMs: 2 * HOUR_MS })
  const { vsa, net, events } = owner()
  const perMinute = vsa.budget('a', { limit: 10, per: 'minute', atRisk: 0 })
  const decision = await perMinute.decide(3)
  expect(decision.admitted).toBe(true)
  net.inject('exchange', { kind: 'lost_answer' })
  perMinute.refund(2, decision)
  await clock.advance(FLUSH_MS)
  // The row's retention is over before the refund is sent again; the next one to call removes the row.
  clock.jumpWall(HOUR_MS)
  const other = owner()
  await other.vsa.ready()
  await clock.advance(10_000)
  expect(vsa.stats().refundsRefused).toBe(0)
  expect(events.map(({ type }) => type)).not.toContain('refunds_refused')
})

test('O4 O5 L3: a refund that lowered what a durable request had spent moves to the new epoch with that request', async () => {
  const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
  const { vsa, net, events } = owner()
  const credits = vsa.budget('credits', { initial: 50, atRisk: 12 })
  await credits.admit(2)
  // The lease covers it: it spends now, and waits for the exchange that carries the spending.
  const durable = credits.admit(4, { durable: true })
  credits.refund(2)
  net.cut('refuse')
  await clock.advance(1_500)
  const other = owner()
  await other.vsa.ready()
  net.heal()
  await clock.advance(3_000)
  expect(await durable).toBe(true)
  await vsa.close()
  expect(events.map(({ type }) => type)).toContain('fenced')
  expect((await row('credits')).used).toBe(4)
})

test('peek: a row that is made while the store is read is not half of the policy and half of the row', async () => {
  const { clock, owner } = bench()
  const { vsa, net } = owner()
  await vsa.ready()
  const credits = vsa.budget('credits', { initial: 12 })
  net.inject('read', { kind: 'delay', requestMs: 0, answerMs: 50 })
  const peeked = credits.peek()
  await clock.settle()
  await credits.mint(15, { id: 'm' })
  await clock.advance(100)
  expect(await peeked).toMatchObject({ minted: 27, used: 0, remaining: 27 })
})

test('a request that times out is told the deadline that it was given', async () => {
  const { clock, owner } = bench()
  const { vsa, net } = owner()
  await vsa.ready()
  net.cut('hang')
  const asked = expect(vsa.budget('seats', { initial: 5 }).admit(1, { deadlineMs: 70 })).rejects.toThrow('within 70 ms')
  await clock.advance(100)
  await asked
})
