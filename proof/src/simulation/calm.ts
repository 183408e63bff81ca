import { Dice } from './dice.ts'
import type { OwnerProcess } from './owner-process.ts'
import { areExact, type ProcessBooks } from './process-books.ts'
import { probeCorrupt, probeRecall, probeReturn } from './probes.ts'
import type { BudgetSetting } from './script.ts'
import { settle } from './settle.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/** Units of one budget that the last process asks for at most, so that a budget of 2^53 units takes no year. */
const DRAINED_MAX = 100_000

/**
 * The end of every run. The faults stop; then everything must come to rest: each call is answered, a process gets whatever is left of each
 * budget (L5), denials change nothing (L6), idle owners hold nothing and have no timer (O6), closes are confirmed, and the books balance
 * to the unit (L3).
 */
export async function calmDown(world: World): Promise<void> {
  const { script, timeline, network, host, reached } = world
  const { setting } = script
  network.weather = {
    ...setting.weather,
    ...NO_FAULTS,
    latencyMaxMs: Math.min(setting.weather.latencyMaxMs, setting.exchangeTimeoutMs / 4),
  }
  await host.recover()
  for (const { machine } of world.processes) machine.goOn()
  // Joins are tried for five exchange timeouts, and retried within 2 s; slow messages arrive; dead owners expire; whatever was refused is given up.
  await timeline.pass(
    3 * setting.leaseTtlMs + 5 * setting.exchangeTimeoutMs + 2_000 + 2 * setting.weather.slowMaxMs + 2_000,
  )
  if (setting.places >= 100) reached.note('18 a hundred owners start cold')
  assertAnswered(world)
  const last = world.start(0)
  await settle(world, last.vsa.ready(), 3_000, 'the last process joins')
  await probeCorrupt(world, last)
  for (const budget of setting.budgets) {
    if (!budget.lasting || budget.key === setting.corrupt) continue
    await probeRecall(world, last, budget)
    await drain(world, last, budget)
    await probeReturn(world, last, budget)
  }
  await rest(world)
  await closeAll(world)
  assertBooks(world)
}

const NO_FAULTS = { refused: 0, requestLost: 0, answerLost: 0, reset: 0, duplicated: 0, slow: 0, storeDies: 0 }

function assertAnswered(world: World): void {
  if (world.timeline.stopped) return
  for (const { machine, requests } of world.processes) if (!machine.dead) requests.assertNone()
}

/** L5: whatever was minted and is neither used nor burned can be admitted, whichever owner asks, and wherever it is leased. */
async function drain(world: World, last: OwnerProcess, setting: BudgetSetting): Promise<void> {
  const budget = last.budget(setting)
  let admitted = 0
  let units = 64
  while (admitted < DRAINED_MAX && !world.timeline.stopped) {
    // Others go on meanwhile: they may have some, and must not keep them.
    for (const owner of world.living) if (owner !== last && owner.machine.running) compete(world, owner, setting)
    const decision = await settle(
      world,
      budget.decide(units, { deadlineMs: 10_000 }),
      11_000,
      `the last process asks for ${units} of ${setting.key}`,
    )
    if (decision === undefined) return
    if (decision.admitted) {
      admitted += units
      world.tellings.admitted(last.books, setting.key, decision.period, units, last.isDurable(setting))
      units = Math.min(2 * units, 8_192)
    } else if (units > 1) {
      units = Math.floor(units / 2)
    } else {
      return assertDrained(world, setting, decision.period)
    }
  }
}

/** Others go on spending a little of it, or admit and give back: what they hold is in use, and must be found all the same. */
function compete(world: World, owner: OwnerProcess, setting: BudgetSetting): void {
  const budget = world.script.setting.budgets.indexOf(setting)
  if (owner.number % 2 === 0) world.callers.tryMany(owner, { kind: 'try', budget, units: 1, times: 1 })
  else world.callers.churn(owner, { kind: 'churn', budget, times: 1 })
}

/** Denied for the want of one unit: there must be none. */
function assertDrained(world: World, setting: BudgetSetting, period: number): void {
  const name = `${period}:${setting.key}`
  const row = world.audit.rows.get(name)
  if (row === undefined) return
  const { minted, used, burned, pool } = row.budget
  must(pool <= 0, 'L5', () => `${name}: one unit was denied, and the pool has ${pool}`)
  let unsent = 0
  for (const { books, machine } of world.processes) if (!machine.dead) unsent += unsentOf(books, name)
  // Behind a clock that was ahead, store time stands still for a while, and the dead are not buried yet.
  for (const [epoch, held] of row.leases)
    if (world.host.now() <= (world.audit.epoch(epoch)?.expiresAt ?? 0) && isDead(world, epoch)) unsent += held
  const left = minted - used - burned - unsent
  must(left <= 0, 'L5', () => `${name}: one unit was denied, and ${left} are neither used, burned nor spent`)
}

function isDead(world: World, epoch: number): boolean {
  const { books } = world.audit.epoch(epoch) ?? {}
  const owner = world.processes.find((process) => process.books === books)
  return owner === undefined || owner.machine.dead || owner.ambiguous || owner.vsa.stats().epoch !== epoch
}

/** What a process has told and not settled, as far as its lease covers it. */
function unsentOf({ told, refunded, refused, settled, accepted, held }: ProcessBooks, name: string): number {
  const net = told.of(name) - refunded.of(name) + refused.of(name) - settled.of(name) + accepted.of(name)
  return Math.min(Math.max(net, 0), held.of(name))
}

/** L6, O6, G3: denials change nothing; nobody who is idle holds anything, or has a timer. */
async function rest(world: World): Promise<void> {
  const { timeline, script, audit } = world
  const { setting } = script
  if (timeline.stopped) return
  for (const owner of world.living) world.callers.flush(owner, { kind: 'flush', returnLeases: false })
  await timeline.pass(2 * setting.leaseTtlMs + 12 * setting.flushIntervalMs + 2_000)
  if (timeline.stopped) return
  assertAnswered(world)
  for (const [name, { budget, leases }] of audit.rows) {
    if (budget.key === setting.corrupt) continue
    // Behind a clock that was ahead, store time stands still for a while, and so do the lives of dead owners.
    const kept = [...leases.keys()].filter((epoch) => world.host.now() > (audit.epoch(epoch)?.expiresAt ?? 0))
    must(kept.length === 0, 'O6', () => `${name}: leases of epochs ${kept.join()} are kept by nobody who needs them`)
  }
  for (const owner of world.living) {
    if (setting.corrupt !== null || isAhead(world, owner)) continue
    must(owner.machine.timers === 0, 'G3', () => `${owner.name} holds nothing, and has ${owner.machine.timers} timers`)
    const { waiters, leasedUnits } = owner.vsa.stats()
    must(
      waiters === 0 && leasedUnits === 0,
      'O6',
      () => `${owner.name} is idle, with ${waiters} waiters and ${leasedUnits} units`,
    )
  }
}

/** O11: it went into a period before the clock was set back, and waits for that period to come round: it remembers, and has a timer. */
function isAhead(world: World, owner: OwnerProcess): boolean {
  const { budgets } = world.script.setting
  return budgets.some((setting) => (owner.windowOf(setting)?.start ?? 0) > world.host.now())
}

async function closeAll(world: World): Promise<void> {
  if (world.timeline.stopped) return
  for (const owner of world.living) {
    world.close(owner, 10_000, false)
    for (const afterMs of [0, 1, 7, 40]) world.timeline.after(afterMs, () => giveBackOne(world, owner))
  }
  await world.timeline.pass(11_000)
  if (world.timeline.stopped) return
  assertAnswered(world)
  for (const owner of world.processes) {
    if (owner.machine.dead) continue
    must(owner.closed || owner.ambiguous, 'O13', () => `${owner.name} was never closed`)
    must(owner.machine.timers === 0, 'G3', () => `${owner.name} is closed, and has ${owner.machine.timers} timers`)
  }
}

/** O13: a close takes refunds until its last batch is sent. */
function giveBackOne(world: World, owner: OwnerProcess): void {
  const { budgets, corrupt } = world.script.setting
  const dice = new Dice(world.script.seed, 'late refund', owner.number)
  for (const [budget, { key }] of budgets.entries()) {
    if (key !== corrupt) world.callers.refund(owner, { kind: 'refund', budget, units: 1, which: 'own' }, dice)
  }
}

/** L3: what the store has settled of each process is what its callers were told, to the unit. */
function assertBooks(world: World): void {
  if (world.timeline.stopped) return
  const { setting } = world.script
  for (const owner of world.processes) {
    if (owner.machine.dead || owner.ambiguous) continue
    for (const name of new Set([
      ...owner.books.told.names(),
      ...owner.books.refunded.names(),
      ...owner.books.settled.names(),
    ])) {
      if (name.slice(name.indexOf(':') + 1) !== setting.corrupt) assertRow(owner, name)
    }
    for (const key of setting.counters) {
      const [added, counted] = [owner.books.added.of(key), owner.books.counted.of(key)]
      // What would leave the safe integers stays with its owner, and is said.
      const isSafe = Math.abs(world.audit.counters.of(key)) + Math.abs(added) < 1e15
      must(
        !isSafe || added === counted,
        'L3',
        () => `${owner.name} added ${added} to ${key}, and ${counted} were counted`,
      )
    }
  }
}

function assertRow({ books, fenced, name: process }: OwnerProcess, name: string): void {
  if (!areExact(name, books.told, books.refunded, books.refused, books.settled, books.accepted)) return
  const told = books.told.of(name) - books.refunded.of(name) + books.refused.of(name)
  const kept = books.settled.of(name) - books.accepted.of(name)
  const burned = books.burned.of(name)
  // Told to go ahead without account, they may have been taken all the same.
  const doubtful = books.doubtful.of(name.slice(name.indexOf(':') + 1))
  const text = (): string => `${name}: ${process} has told ${told}; ${kept} are settled, ${burned} burned`
  // Of a lease that burned nobody knows how much had been spent.
  must(kept <= told + doubtful, 'L3', text)
  must(told <= kept + (fenced ? burned : 0), 'L3', text)
}
