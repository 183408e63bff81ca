import { describe, expect, test } from 'vitest'
import { bench } from './fixture.ts'

describe('peek', () => {
  test('peek shows the row less the delta that is not sent', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const budget = vsa.budget('calls', { limit: 100, per: 'month', atRisk: 50 })
    expect(await budget.peek()).toMatchObject({
      limit: 100,
      minted: 100,
      used: 0,
      remaining: 100,
      leased: 0,
      burned: 0,
    })
    await budget.admit(10)
    expect(budget.tryAdmit(5)).toBe(true)
    expect(await budget.peek()).toMatchObject({ used: 10, remaining: 85 })
    expect(await vsa.budget('seats', { initial: 3 }).peek()).toEqual({
      limit: 3,
      minted: 3,
      used: 0,
      remaining: 3,
      leased: 0,
      burned: 0,
    })
  })

  test('a row that is created while the store is read shows no mix of policy and row', async () => {
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

  test('O13: a peek after close is refused: it would open the store again', async () => {
    const { owner } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 10 })
    await seats.admit()
    await vsa.close()
    await expect(seats.peek()).rejects.toMatchObject({ code: 'closed' })
  })
})
