import { describe, expect, test } from 'vitest'
import { bench } from './fixture.ts'

const LEASED = { limit: 100, per: 3_600_000, atRisk: 50 } as const

describe('mints', () => {
  test('L3: mint is once per id, and the units are usable at once', async () => {
    const { owner, row } = bench()
    const { vsa } = owner()
    const seats = vsa.budget('seats', { initial: 0 })
    expect(await seats.admit()).toBe(false)
    expect(await seats.mint(5, { id: 'balcony' })).toBe(true)
    expect(await seats.mint(5, { id: 'balcony' })).toBe(false)
    expect(await owner().vsa.budget('seats', { initial: 0 }).mint(5, { id: 'balcony' })).toBe(false)
    await expect(seats.mint(6, { id: 'balcony' })).rejects.toMatchObject({ code: 'id_conflict' })
    await expect(seats.mint(2 ** 53 - 1, { id: 'all' })).rejects.toMatchObject({ code: 'units_overflow' })
    expect(
      await Promise.all([seats.mint(1, { id: 'a' }), seats.mint(2, { id: 'b' }), seats.mint(3, { id: 'c' })]),
    ).toEqual([true, true, true])
    expect(await seats.admit(11)).toBe(true)
    expect(await seats.admit()).toBe(false)
    expect(await row('seats')).toMatchObject({ minted: 11, used: 11 })
    await expect(vsa.budget('calls', LEASED).mint(1, { id: 'x' })).rejects.toThrow(TypeError)
    await expect(seats.mint(1, { id: '' })).rejects.toThrow('options.id')
  })

  test('L4: a leased budget whose first units come by mint can be leased', async () => {
    const { clock, owner } = bench()
    const { vsa } = owner()
    const credits = vsa.budget('credits', { initial: 0, atRisk: 1 })
    await credits.mint(10, { id: 'first' })
    expect(await credits.admit()).toBe(true)
    await clock.settle()
    expect(vsa.stats().leasedUnits).toBe(1)
    expect(credits.tryAdmit()).toBe(true)
  })

  test('L3: mints that timed out while the store was away are not sent one by one when it is back', async () => {
    const { clock, owner, row } = bench()
    const { vsa, net } = owner({ deadlineMs: 100 })
    const seats = vsa.budget('seats', { initial: 0 })
    await seats.admit()
    net.cut('refuse')
    for (let turn = 0; turn < 50; turn += 1) {
      const resolved = expect(seats.mint(5, { id: 'balcony' })).rejects.toMatchObject({ code: 'store_unavailable' })
      await clock.advance(110)
      await resolved
    }
    net.heal()
    const before = vsa.stats().exchanges
    const minted = seats.mint(5, { id: 'balcony' }).catch(() => undefined)
    await clock.advance(3_000)
    await minted
    expect(vsa.stats().exchanges - before).toBeLessThanOrEqual(8)
    expect((await row('seats')).minted).toBeLessThanOrEqual(5)
  })

  test('a mint that times out says that its units may stay, and that the same id tells; a read and a flush say what holds for them', async () => {
    const { clock, owner } = bench()
    const { vsa, net } = owner({ deadlineMs: 400 })
    const seats = vsa.budget('seats', { initial: 0 })
    await seats.admit()
    net.inject('exchange', { kind: 'lost_answer' })
    const minted = seats.mint(5, { id: 'balcony' }).catch((error: unknown) => error)
    const read = vsa
      .counter('likes')
      .read()
      .catch((error: unknown) => error)
    const flushed = vsa.flush().catch((error: unknown) => error)
    await clock.advance(500)
    const error = await minted
    expect(error).toMatchObject({ code: 'timeout', applied: 'unknown', statusCode: 503 })
    expect(String(error)).toMatch(/may have been minted.*same id/)
    expect(String(error)).not.toMatch(/given back|taken/)
    expect(await read).toMatchObject({ applied: 'no' })
    expect(String(await read)).toContain('nothing was changed')
    expect(String(await flushed)).toContain('not all changes are durable yet')
    await clock.advance(5_000)
    expect(await seats.mint(5, { id: 'balcony' })).toBe(false)
    expect(await seats.admit(5)).toBe(true)
  })
})
