import { expect, test } from 'vitest'
import { wholeBetween } from '../../src/testing/random.ts'
import { World } from './world.ts'

const RATES = { delay: 0.05, lost_request: 0.03, lost_answer: 0.05, duplicate: 0.05, late: 0.03, unknown: 0.04, refused: 0.03, death: 0.01 }
const SEEDS = Number(process.env['ENGINE_SEEDS'] ?? 60)
const FROM = Number(process.env['ENGINE_SEED'] ?? 1)

async function live(seed: number, options: { readonly faults: boolean; readonly crashes: boolean }): Promise<World> {
  const world = new World(seed)
  try {
    const rates = options.faults ? RATES : {}
    for (let owner = 0; owner < wholeBetween(world.random, 1, 3); owner += 1) world.start(rates)
    for (let step = 0; step < 150; step += 1) {
      await world.step()
      const alive = world.owners.filter((owner) => owner.alive)
      if (options.crashes && world.random() < 0.02 && alive.length > 0) {
        const victim = alive[wholeBetween(world.random, 0, alive.length - 1)]
        if (victim !== undefined) world.crash(victim)
        world.start(rates)
      }
      if (step % 10 === 0) await world.check()
    }
    for (const owner of world.owners) if (owner.alive) { owner.net.setRates({}); owner.net.heal() }
    await world.clock.advance(4_000)
    await world.check()
    const bug = world.events.find((event) => event.type === 'quarantined' || event.type === 'store_forgot')
    if (bug !== undefined) throw new Error(`a bug: ${JSON.stringify(bug)}`)
    return world
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}\n${world.trace.slice(-60).join('\n')}`, { cause: error })
  }
}

async function closeAll(world: World): Promise<void> {
  const closing = world.owners.filter((owner) => owner.alive).map((owner) => owner.vsa.close())
  const closed = Promise.all(closing)
  closed.catch(() => undefined)
  await world.clock.advance(12_000)
  await closed
}

test('L1 L2 L3: without faults, used is what was admitted and not refunded, to the unit', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, { faults: false, crashes: false })
    expect(world.pending, `seed ${seed}`).toBe(0)
    await closeAll(world)
    for (const { budget, leases } of await world.rows()) {
      const told = world.told.get(`${budget.period}:${budget.key}`) ?? { admitted: 0, refunded: 0 }
      expect([budget.used, budget.burned, leases.length], `seed ${seed} ${budget.key} ${budget.period}`).toEqual([told.admitted - told.refunded, 0, 0])
    }
  }
}, 120_000)

test('L1 L2 L3: with a network that loses, doubles and delays, used is what was admitted and not refunded, less what was burned', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, { faults: true, crashes: false })
    expect(world.pending, `seed ${seed}\n${world.trace.slice(-40).join('\n')}`).toBe(0)
    await closeAll(world)
    const fenced = world.events.some((event) => event.type === 'fenced')
    for (const { budget, leases } of await world.rows()) {
      const told = world.told.get(`${budget.period}:${budget.key}`) ?? { admitted: 0, refunded: 0 }
      const net = told.admitted - told.refunded
      expect(leases, `seed ${seed}`).toEqual([])
      if (fenced || world.events.some((event) => event.type === 'refunds_refused')) expect(net).toBeLessThanOrEqual(budget.minted)
      else expect([budget.used, budget.burned], `seed ${seed} ${budget.key} ${budget.period}\n${world.trace.slice(-60).join('\n')}`).toEqual([net, 0])
    }
  }
}, 120_000)

test('L1 L2 L4: owners that crash burn their leases, and nobody is admitted more than was minted', async () => {
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const world = await live(seed, { faults: true, crashes: true })
    await closeAll(world)
    await world.check()
    for (const { budget } of await world.rows()) {
      if (budget.key === 'seats') expect(budget.burned, `L4: a durable budget burns nothing, seed ${seed}`).toBe(0)
    }
  }
}, 120_000)
