import { describe, expect, test } from 'vitest'
import type { Budget, Vsa } from '../../src/index.ts'
import { bench, codeOf, damage, FLUSH_MS, type Bench, type Owner } from './fixture.ts'

/* V1 to V4: what memory decides of several sources, and what it leaves to the store. */

interface Scene extends Bench {
  readonly one: Owner
  readonly vsa: Vsa
  readonly plan: Budget
  readonly credits: Budget
}

/** Leases of all that a plan of 100 and credits of 50 have. */
async function leased(): Promise<Scene> {
  const world = bench()
  const one = world.owner()
  const plan = one.vsa.budget('plan', { initial: 100, atRisk: 100, burnMax: 100 })
  const credits = one.vsa.budget('credits', { initial: 50, atRisk: 50, burnMax: 50 })
  await one.vsa.ready()
  plan.tryAdmit(100)
  credits.tryAdmit(50)
  await world.clock.settle()
  return { ...world, one, vsa: one.vsa, plan, credits }
}

describe('a waterfall from memory', () => {
  test('V2, V3: what the leases have not goes over to the counter at once, and is sent with the next flush', async () => {
    const { vsa, one, plan, credits, clock } = await leased()
    const over = vsa.counter('over')
    const before = one.net.calls.exchange
    expect(await vsa.decideFirst([plan, credits, over], 160)).toMatchObject({
      admitted: true,
      from: [
        { key: 'plan', units: 100 },
        { key: 'credits', units: 50 },
        { key: 'over', units: 10, period: null },
      ],
    })
    expect(one.net.calls.exchange).toBe(before)
    expect(await vsa.admitFirst([plan, credits, over], 5)).toBe(true)
    await clock.advance(FLUSH_MS)
    expect(await over.read()).toBe(15)
  })

  test('V2, L7: a counter that nothing went over to is not sent', async () => {
    const { vsa, one, plan, credits, clock } = await leased()
    expect(await vsa.admitFirst([plan, credits, vsa.counter('over')], 150)).toBe(true)
    await clock.advance(2 * FLUSH_MS)
    const kinds = one.batches.flatMap(({ entries }) => entries.map(({ kind }) => kind))
    expect(kinds.filter((kind) => kind === 'counter')).toEqual([])
  })

  test('V2, L7: a source that gave nothing is not sent', async () => {
    const { vsa, one, plan, credits, clock } = await leased()
    expect(await vsa.admitFirst([plan, credits], 100)).toBe(true)
    await vsa.flush()
    const before = one.batches.length
    expect(await vsa.admitFirst([plan, credits], 10)).toBe(true)
    await clock.advance(FLUSH_MS)
    expect(one.batches.slice(before)).toMatchObject([{ entries: [{ key: 'credits', spent: 10 }] }])
  })

  test('L5, O12: what was denied from memory is read again, and units that another owner has minted are found', async () => {
    const { vsa, plan, credits, clock, owner } = await leased()
    const other = owner().vsa.budget('credits', { initial: 50, atRisk: 50, burnMax: 50 })
    expect(await vsa.admitFirst([plan, credits], 150)).toBe(true)
    await vsa.flush()
    expect(await vsa.admitFirst([plan, credits], 10)).toBe(false)
    await other.mint(10, { id: 'more' })
    const verdicts: boolean[] = []
    for (let turn = 0; turn < 12; turn += 1) {
      vsa.admitFirst([plan, credits], 10).then(
        (admitted) => verdicts.push(admitted),
        () => undefined,
      )
      await clock.advance(100)
    }
    expect(verdicts.filter(Boolean)).toHaveLength(1)
  })

  test('V3, O12: with an overage nothing is denied, also while the rows before it are read', async () => {
    const { vsa, one, plan, clock } = await leased()
    const sources = [plan, vsa.counter('over')]
    expect(await vsa.admitFirst(sources, 120)).toBe(true)
    await vsa.flush()
    for (let turn = 0; turn < 2; turn += 1) {
      await clock.advance(150)
      const before = one.net.calls.read
      one.net.inject('read', { kind: 'delay', requestMs: 20, answerMs: 20 })
      const calls = [vsa.admitFirst(sources, 1)]
      await clock.advance(10)
      const exchanges = one.net.calls.exchange
      const reading = one.net.calls.read - before
      calls.push(vsa.admitFirst(sources, 1))
      // While the read is under way it is decided at once, by what is known.
      expect(one.net.calls.exchange).toBe(exchanges)
      await clock.advance(FLUSH_MS)
      expect([await Promise.all(calls), reading]).toEqual([[true, true], 1])
    }
    expect(await vsa.counter('over').read()).toBe(24)
  })

  test('L5, O12: what a later source has is admitted, also while an earlier one, which was exhausted, is read', async () => {
    const world = bench()
    const one = world.owner()
    const plan = one.vsa.budget('plan', { initial: 10 })
    const credits = one.vsa.budget('credits', { initial: 1_000, atRisk: 500 })
    const none = one.vsa.budget('none', { initial: 0 })
    await one.vsa.ready()
    expect(await one.vsa.admitFirst([plan, credits], 20)).toBe(true)
    expect(await none.admit()).toBe(false)
    credits.tryAdmit(500)
    await world.clock.advance(150)
    one.net.inject('read', { kind: 'delay', requestMs: 20, answerMs: 20 })
    const calls = [one.vsa.decideFirst([plan, credits], 1)]
    await world.clock.advance(10)
    calls.push(one.vsa.decideFirst([plan, credits], 1), one.vsa.decideFirst([plan, none], 1))
    await world.clock.advance(50)
    expect(await Promise.all(calls)).toMatchObject([
      { admitted: true, from: [{ key: 'credits', units: 1 }] },
      { admitted: true, from: [{ key: 'credits', units: 1 }] },
      { admitted: false, reason: 'exhausted' },
    ])
    expect(one.net.calls.read).toBe(1)
  })

  test('O12: what the lease of a source still has is no reason to leave its row out of the read', async () => {
    const { vsa, one, plan, credits, clock } = await leased()
    expect(await vsa.admitFirst([plan, credits], 90)).toBe(true)
    await vsa.flush()
    expect(await vsa.admitFirst([plan, credits], 61)).toBe(false)
    await clock.advance(150)
    const before = one.net.calls.read
    const asked = vsa.admitFirst([plan, credits], 61, { deadlineMs: 1_000 })
    await clock.advance(1)
    expect([await asked, one.net.calls.read]).toEqual([false, before + 1])
    expect(await vsa.admitFirst([plan, credits], 60)).toBe(true)
  })

  test('L6, O12: what all sources together lack is denied from memory, though some of them have units, and is asked again in time', async () => {
    const world = bench()
    const [one, other] = [world.owner(), world.owner()]
    const [plan, credits] = [one.vsa.budget('plan', { initial: 20 }), one.vsa.budget('credits', { initial: 5 })]
    expect(await one.vsa.admitFirst([plan, credits], 10)).toBe(true)
    expect(await one.vsa.admitFirst([plan, credits], 16)).toBe(false)
    const before = one.net.calls.exchange
    for (let turn = 0; turn < 100; turn += 1)
      expect(await one.vsa.decideFirst([plan, credits], 16)).toMatchObject({ admitted: false, reason: 'exhausted' })
    expect(one.net.calls.exchange).toBe(before)
    // What is there is had at once, and so is what another owner has minted, a flush interval later.
    expect(await one.vsa.admitFirst([plan, credits], 3)).toBe(true)
    expect(await one.vsa.admitFirst([plan, credits], 13)).toBe(false)
    await other.vsa.budget('credits', { initial: 5 }).mint(1, { id: 'more' })
    await world.clock.advance(FLUSH_MS)
    expect(await one.vsa.admitFirst([plan, credits], 13)).toBe(true)
  })

  test('L6, O12: with an overage nothing lacks, and what the sources have is found by the store', async () => {
    const world = bench()
    const { vsa } = world.owner()
    const sources = [vsa.budget('plan', { initial: 20 }), vsa.budget('credits', { initial: 5 }), vsa.counter('over')]
    expect(await vsa.admitFirst(sources, 10)).toBe(true)
    expect(await vsa.decideFirst(sources, 20)).toMatchObject({
      from: [
        { key: 'plan', units: 10 },
        { key: 'credits', units: 5 },
        { key: 'over', units: 5 },
      ],
    })
  })

  test.each(['admitFirst', 'admitAll', 'decideAll'] as const)(
    'S6: %s over a quarantined budget fails at once, without a store call',
    async (call) => {
      const scene = await leased()
      const { vsa, one, plan, credits, clock } = scene
      damage(one, clock, 'credits')
      await credits.admit(1, { durable: true }).catch(codeOf)
      const before = one.net.calls.exchange
      const asked =
        call === 'admitFirst' ? vsa.admitFirst([plan, credits], 5) : vsa[call]([[plan, 1], [credits, 1]]) // oxfmt-ignore
      expect(await asked.catch(codeOf)).toBe('quarantined')
      expect(one.net.calls.exchange).toBe(before)
    },
  )

  test('A2: a decision over several budgets from memory names what it took, so that each can be given back', async () => {
    const { vsa, one, plan, credits, row } = await leased()
    const before = one.net.calls.exchange
    const decision = await vsa.decideAll([[plan, 4], [credits, 3]]) // oxfmt-ignore
    expect(decision).toMatchObject({ admitted: true, key: 'plan', units: 4, remaining: 96 })
    expect(one.net.calls.exchange).toBe(before)
    credits.refund(3, decision)
    await vsa.close()
    expect([(await row('plan')).used, (await row('credits')).used]).toEqual([4, 0])
  })
})
