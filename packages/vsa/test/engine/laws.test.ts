import { expect, test } from 'vitest'
import { wholeBetween } from '../../src/testing/random.ts'
import { rounds } from '../rounds.ts'
import { World } from './world.ts'

const RATES = {
  delay: 0.05,
  lost_request: 0.03,
  lost_answer: 0.05,
  duplicate: 0.05,
  late: 0.03,
  unknown: 0.04,
  refused: 0.03,
  death: 0.01,
}
const SEEDS = Number(process.env['ENGINE_SEEDS'] ?? rounds(15))
const FROM = Number(process.env['ENGINE_SEED'] ?? 1)

interface Life {
  readonly faults?: boolean
  readonly crashes?: boolean
  readonly jumps?: boolean
}

/** As the world's policies say, or by default. */
const AT_RISK: Readonly<Record<string, number>> = { minute: 12, wide: 32, seats: 0, credits: 9 }

async function live(seed: number, { faults = false, crashes = false, jumps = false }: Life): Promise<World> {
  const world = new World(seed)
  try {
    const rates = faults ? RATES : {}
    const owners = wholeBetween(world.random, 1, 3)
    for (let owner = 0; owner < owners; owner += 1) world.start(rates)
    for (let step = 0; step < 150; step += 1) {
      await world.step()
      const alive = world.owners.filter((owner) => owner.alive)
      if (crashes && world.random() < 0.02) {
        const victim = alive[wholeBetween(world.random, 0, alive.length - 1)]
        if (victim !== undefined) world.crash(victim)
        world.start(rates)
      }
      if (jumps && world.random() < 0.02) world.jump()
      if (step % 10 === 0) await world.check()
    }
    world.heal()
    await world.clock.advance(4_000)
    await world.check()
    const bug = world.events.find(
      (event) => event.type === 'quarantined' || event.type === 'store_forgot' || event.type === 'row_lost',
    )
    if (bug !== undefined) throw new Error(`a bug: ${JSON.stringify(bug)}`)
    return world
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}\n${world.trace.slice(-60).join('\n')}`, { cause: error })
  }
}

async function closeAll(world: World): Promise<void> {
  for (const owner of world.owners) if (owner.alive) world.close(owner)
  await world.clock.advance(12_000)
}

/** Every owner's figures match what callers were answered; counters are exact, whatever became of the epochs. */
async function checkCounts(world: World, seed: number): Promise<void> {
  const answered = [...world.answered.values()]
  const stats = world.owners.map((owner) => owner.vsa.stats())
  const totals = [
    stats.reduce((sum, { admittedUnits }) => sum + admittedUnits, 0),
    stats.reduce((sum, { refundedUnits }) => sum + refundedUnits, 0),
    stats.reduce((sum, { waiters, leasedUnits }) => sum + waiters + leasedUnits, 0),
  ]
  const context = `seed ${seed}\n${world.trace.slice(-60).join('\n')}`
  expect(totals, context).toEqual([
    answered.reduce((sum, { admitted }) => sum + admitted, 0),
    answered.reduce((sum, { refunded }) => sum + refunded, 0),
    0,
  ])
  const reader = world.start()
  for (const [key, value] of world.added) expect(await reader.vsa.counter(key).read(), `${key} ${context}`).toBe(value)
}

test('L1 L2 L3: without faults, used is what was admitted and not refunded, to the unit', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, {})
    expect(world.pending, `seed ${seed}`).toBe(0)
    await closeAll(world)
    expect([world.pending, world.ambiguous], `seed ${seed}`).toEqual([0, false])
    for (const { budget, leases } of await world.rows()) {
      const answered = world.answered.get(`${budget.period}:${budget.key}`) ?? { admitted: 0, refunded: 0 }
      const context = `seed ${seed} ${budget.key} ${budget.period}\n${world.trace.slice(-60).join('\n')}`
      expect([budget.used, budget.burned, leases.length], context).toEqual([
        answered.admitted - answered.refunded,
        0,
        0,
      ])
    }
    await checkCounts(world, seed)
  }
}, 120_000)

test('L1 L2 L3: with a network that loses, repeats and delays, used is what was admitted and not refunded, less what was burned', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, { faults: true })
    expect(world.pending, `seed ${seed}\n${world.trace.slice(-40).join('\n')}`).toBe(0)
    await closeAll(world)
    expect(world.pending, `seed ${seed}`).toBe(0)
    const fenced = world.ambiguous || world.events.some((event) => event.type === 'fenced')
    for (const { budget, leases } of await world.rows()) {
      const answered = world.answered.get(`${budget.period}:${budget.key}`) ?? { admitted: 0, refunded: 0 }
      const net = answered.admitted - answered.refunded
      if (!world.ambiguous) expect(leases, `seed ${seed}`).toEqual([])
      if (fenced || world.events.some((event) => event.type === 'refunds_refused'))
        expect(net).toBeLessThanOrEqual(budget.minted)
      else
        expect(
          [budget.used, budget.burned],
          `seed ${seed} ${budget.key} ${budget.period}\n${world.trace.slice(-60).join('\n')}`,
        ).toEqual([net, 0])
    }
    if (!world.ambiguous) await checkCounts(world, seed)
  }
}, 120_000)

test('L1 L2 L4: owners that crash burn their leases, and no more is admitted than was minted', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, { faults: true, crashes: true })
    await closeAll(world)
    await world.check()
    for (const { budget } of await world.rows()) {
      const ends =
        world.owners.filter((owner) => owner.crashed).length +
        world.events.filter((event) => event.type === 'fenced').length
      const atRisk = AT_RISK[budget.key] ?? 0
      expect(
        budget.burned,
        `L4: a crash burns atRisk at most, a durable budget nothing, seed ${seed} ${budget.key}`,
      ).toBeLessThanOrEqual(atRisk * ends)
    }
  }
}, 120_000)

test('L1 L2 O11: a store whose clock jumps neither mints nor loses a unit, and every request is answered', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, { faults: true, jumps: true })
    expect(world.pending, `seed ${seed}\n${world.trace.slice(-40).join('\n')}`).toBe(0)
    await closeAll(world)
    expect(world.pending, `seed ${seed}`).toBe(0)
    await world.check()
    if (!world.ambiguous) await checkCounts(world, seed)
  }
}, 120_000)
