import { describe, expect, test } from 'vitest'
import { bench, FLUSH_MS } from './fixture.ts'

const LEASED = { limit: 100, per: 'month', atRisk: 60 } as const

describe('several owners', () => {
  test("L5 O12: units that lie in another owner's lease are admitted, within the deadline", async () => {
    const { clock, owner, row } = bench()
    const [first, second] = [owner(), owner()]
    const holder = first.vsa.budget('calls', { ...LEASED, limit: 20, atRisk: 20 })
    await holder.admit(12)
    expect(first.vsa.stats().leasedUnits).toBe(8)
    const asker = second.vsa.budget('calls', { ...LEASED, limit: 20, atRisk: 20 })
    const asked = asker.decide(5)
    // The holder goes on spending, so that its lease is not idle; it shrinks because another owner wants the row.
    for (let turn = 0; turn < 6; turn += 1) {
      holder.tryAdmit()
      await clock.advance(FLUSH_MS / 2)
    }
    expect(await asked).toMatchObject({ admitted: true })
    await first.vsa.close()
    await second.vsa.close()
    const { used, burned } = await row('calls')
    expect(used).toBeGreaterThanOrEqual(17)
    expect(burned).toBe(0)
  })

  test('L5: every minted unit is admitted in the end, whichever owner asks', async () => {
    const { clock, owner, row } = bench()
    const owners = Array.from({ length: 5 }, () => owner())
    const policy = { limit: 500, per: 'month', atRisk: 40 } as const
    let admitted = 0
    const waiting: Promise<void>[] = []
    for (let round = 0; round < 400 && admitted < 500; round += 1) {
      const units = round % 7 === 0 ? 3 : 1
      const { vsa } = owners[round % owners.length] ?? owner()
      waiting.push(
        vsa
          .budget('calls', policy)
          .admit(units)
          .then((yes) => {
            if (yes) admitted += units
          }),
      )
      await clock.advance(40)
      if (round % 10 === 9) await clock.advance(1_000)
    }
    await clock.advance(6_000)
    await Promise.all(waiting)
    for (let rest = 0; rest < 50 && admitted < 500; rest += 1) {
      const resolved = owners[0]?.vsa
        .budget('calls', policy)
        .admit()
        .then((yes) => {
          if (yes) admitted += 1
        })
      await clock.advance(500)
      await resolved
    }
    expect(admitted).toBe(500)
    await Promise.all(owners.map(({ vsa }) => vsa.close()))
    expect(await row('calls')).toMatchObject({ used: 500, pool: 0, burned: 0 })
  })

  test("O12: a waiter whose units stay in a dead owner's lease is denied as reserved at its deadline", async () => {
    const { clock, owner } = bench({ leaseTtlMs: 60_000 })
    const [dead, alive] = [owner(), owner()]
    await dead.vsa.budget('calls', { ...LEASED, limit: 20, atRisk: 20 }).admit(12)
    dead.net.cut('hang')
    const asked = alive.vsa.budget('calls', { ...LEASED, limit: 20, atRisk: 20 }).decide(7, { deadlineMs: 1_000 })
    await clock.advance(1_100)
    expect(await asked).toMatchObject({ admitted: false, reason: 'reserved', retryAfterMs: FLUSH_MS })
    expect(alive.batches.length).toBeLessThanOrEqual(13)
  })

  test('L1 L4: a crash burns the lease, at most atRisk, once, and never gives it again', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 1_000 })
    const dead = owner()
    const budget = dead.vsa.budget('calls', LEASED)
    await budget.admit()
    let admitted = 1
    for (let call = 0; call < 40; call += 1) if (budget.tryAdmit()) admitted += 1
    dead.net.cut('hang')
    await clock.advance(2_000)
    const alive = owner()
    let later = 0
    for (let call = 0; call < 120; call += 1) {
      if (await alive.vsa.budget('calls', LEASED).admit()) later += 1
    }
    await alive.vsa.close()
    const { used, burned, minted } = await row('calls')
    expect(burned).toBeGreaterThan(0)
    expect(burned).toBeLessThanOrEqual(60)
    expect(admitted + later).toBeLessThanOrEqual(minted)
    expect(used + burned).toBe(100)
    expect(later).toBe(used - 1)
  })

  test('S5 L4: once burnMax units have burned, the budget admits durably until the period ends, and an event says so', async () => {
    const { clock, owner, row } = bench({ leaseTtlMs: 500 })
    const policy = { limit: 200, per: 'month', atRisk: 40, burnMax: 50 } as const
    const watcher = owner()
    await watcher.vsa.budget('calls', policy).admit()
    for (let crash = 0; crash < 6; crash += 1) {
      const victim = owner()
      await victim.vsa.budget('calls', policy).admit()
      for (let call = 0; call < 10; call += 1) victim.vsa.budget('calls', policy).tryAdmit()
      await clock.settle()
      victim.net.cut('hang')
      for (let turn = 0; turn < 8; turn += 1) {
        await clock.advance(100)
        await watcher.vsa.budget('calls', policy).admit()
      }
    }
    const { burned } = await row('calls')
    expect(burned).toBeGreaterThanOrEqual(50)
    expect(burned).toBeLessThanOrEqual(50 + 40)
    expect(watcher.events.map((event) => event.type)).toEqual(expect.arrayContaining(['burned', 'burn_limit']))
    await clock.advance(1_000)
    expect(await watcher.vsa.budget('calls', policy).admit()).toBe(true)
    expect(watcher.vsa.budget('calls', policy).tryAdmit()).toBe(false)
  })

  test('S3: two versions of a service disagree on a limit: the newest process wins, the other one adopts and reports it', async () => {
    const { clock, owner, row } = bench()
    const old = owner()
    expect(await old.vsa.budget('calls', { limit: 10, per: 'day' }).admit(8)).toBe(true)
    for (let restart = 0; restart < 5; restart += 1) {
      const young = owner()
      expect(await young.vsa.budget('calls', { limit: 30, per: 'day' }).admit()).toBe(true)
      await young.vsa.close()
      await old.vsa.budget('calls', { limit: 10, per: 'day' }).admit()
      await clock.advance(FLUSH_MS)
    }
    expect(await row('calls')).toMatchObject({ minted: 30, limit: 30 })
    expect(old.events).toContainEqual({ type: 'policy_conflict', key: 'calls', declared: 10, holds: 30 })
    expect(await old.vsa.budget('calls', { limit: 10, per: 'day' }).admit(12)).toBe(true)
  })

  test('L1: a limit lowered below what is spent admits nothing until the next period', async () => {
    const { clock, owner, row } = bench()
    const old = owner()
    await old.vsa.budget('calls', { limit: 100, per: 3_600_000, atRisk: 0 }).admit(60)
    const young = owner()
    const lowered = young.vsa.budget('calls', { limit: 40, per: 3_600_000, atRisk: 0 })
    expect(await lowered.decide()).toMatchObject({ admitted: false, reason: 'exhausted', limit: 40, remaining: 0 })
    expect(await row('calls')).toMatchObject({ minted: 40, used: 60, pool: -20 })
    await clock.advance(3_600_000)
    expect(await lowered.admit(40)).toBe(true)
  })

  test('S3: initial only ever creates: another number later changes nothing and is reported', async () => {
    const { owner, row } = bench()
    await owner().vsa.budget('seats', { initial: 10 }).admit()
    const { vsa, events } = owner()
    expect(await vsa.budget('seats', { initial: 999 }).admit(10)).toBe(false)
    expect(await row('seats')).toMatchObject({ minted: 10, limit: 10 })
    expect(events).toContainEqual({ type: 'policy_conflict', key: 'seats', declared: 999, holds: 10 })
  })

  test('a hundred owners start cold on one hot budget: the store calls are bounded, and every owner is served', async () => {
    const { clock, owner, row } = bench()
    const owners = Array.from({ length: 100 }, () => owner())
    const policy = { limit: 100_000, per: 'month' } as const
    const answers = await Promise.all(
      owners.flatMap(({ vsa }) => Array.from({ length: 20 }, () => vsa.budget('hot', policy).admit())),
    )
    expect(answers.every(Boolean)).toBe(true)
    const calls = owners.reduce((sum, { vsa }) => sum + vsa.stats().exchanges, 0)
    expect(calls).toBeLessThanOrEqual(300)
    const closing = Promise.all(owners.map(({ vsa }) => vsa.close()))
    await clock.advance(FLUSH_MS)
    await closing
    expect(await row('hot')).toMatchObject({ used: 2_000, burned: 0 })
  })
})
