import type { Decision } from '../../../packages/vsa/dist/index.js'
import { Rng } from './rng.ts'
import { ofStore, type OwnerProcess } from './owner-process.ts'
import { rowName } from './process-totals.ts'
import type { BudgetSetting } from './script.ts'
import { waitFor } from './wait-for.ts'
import { must } from './violation.ts'
import type { World } from './world.ts'

/** The smallest lease that is recalled in this check: more than its owner spends while another process waits. Units. */
const HELD_MIN = 7

/**
 * L5, O12: the last units are leased to an owner that continues to use them slowly. Another process that requests one gets it within ten
 * flush intervals: the row is marked as wanted, its owner returns units, and no lease grows meanwhile (S5).
 */
export async function probeRecall(world: World, last: OwnerProcess, setting: BudgetSetting): Promise<void> {
  const { flushIntervalMs, budgets } = world.script.setting
  const holder = world.living.find((owner) => owner !== last && owner.machine.running)
  if (holder === undefined || setting.atRiskMax < HELD_MIN || isFrozen(world)) return
  const budget = budgets.indexOf(setting)
  for (let round = 0; round < 4; round += 1) {
    world.callers.tryMany(holder, { kind: 'try', budget, units: 1, times: 2 })
    await world.timeline.pass(0.7 * flushIntervalMs)
  }
  const window = world.context.windows.windowAt(last.policyOf(setting), world.host.now())
  const name = rowName(setting.key, window.start)
  const pool = world.audit.rows.get(name)?.budget.pool ?? 0
  if (pool > 0 && pool < 1e9) await takeAll(world, last, setting, pool)
  if (!holds(world, holder, name, HELD_MIN) || (world.audit.rows.get(name)?.budget.pool ?? 1) !== 0) return
  let isAsking = true
  const use = (): void => {
    if (!isAsking || !holder.machine.running) return
    if (holds(world, holder, name, 2)) world.callers.tryMany(holder, { kind: 'try', budget, units: 1, times: 1 })
    world.timeline.after(2 * flushIntervalMs, use)
  }
  use()
  const deadlineMs = 10 * flushIntervalMs + 10 * world.network.faultRates.latencyMaxMs
  const asked = last.budget(setting).decide(1, { deadlineMs })
  const decision = await waitFor(
    world,
    asked,
    deadlineMs + 1_000,
    `the last process requests a unit of ${setting.key} that another one leases`,
  )
  isAsking = false
  if (decision === undefined) return
  if (decision.admitted) world.addAdmitted(last, setting, periodOf(decision), 1)
  else
    must(
      !holds(world, holder, name, 1),
      'L5',
      () => `${name}: a unit was denied for ten flush intervals, and ${holder.name} holds one that it does not use`,
    )
}

async function takeAll(world: World, last: OwnerProcess, setting: BudgetSetting, pool: number): Promise<void> {
  const decision = await waitFor(
    world,
    last.budget(setting).decide(pool, { deadlineMs: 2_500 }),
    3_000,
    `the last process requests the pool of ${setting.key}`,
  )
  if (decision?.admitted === true) world.addAdmitted(last, setting, periodOf(decision), pool)
}

/** Whether so many units of its lease are neither admitted nor settled. */
function holds(world: World, { totals }: OwnerProcess, name: string, units: number): boolean {
  const net = totals.admitted.of(name) - totals.refunded.of(name) + totals.refused.of(name)
  // Below 0 after unaccounted admissions.
  const unsent = Math.max(0, net - totals.settled.of(name) + totals.accepted.of(name))
  return !world.timeline.stopped && totals.held.of(name) - unsent >= units
}

/** The longest pause before a row that was seen exhausted is read again (O12), in ms. */
const READ_PAUSE_LONGEST_MS = 1_000

/** L5, O12: a row was seen exhausted, and then a unit is refunded. It is asked for without end, and admitted after the longest pause at the latest. */
export async function probeReturn(world: World, last: OwnerProcess, setting: BudgetSetting): Promise<void> {
  const { flushIntervalMs, budgets } = world.script.setting
  const { latencyMaxMs } = world.network.faultRates
  if (isFrozen(world) || 4 * latencyMaxMs > flushIntervalMs || world.timeline.stopped) return
  const window = world.context.windows.windowAt(last.policyOf(setting), world.host.now())
  const name = rowName(setting.key, window.start)
  if (world.audit.rows.get(name)?.budget.pool !== 0) return
  const { used } = world.audit.rows.get(name)?.budget ?? { used: 0 }
  const giver = world.living.find(
    (owner) =>
      owner !== last && owner.machine.running && owner.totals.admitted.of(name) > owner.totals.refunded.of(name),
  )
  if (giver === undefined || used < 10) return
  const before = world.admissions.refunded.of(name)
  const rng = new Rng(world.script.seed, 'return', giver.number)
  world.callers.refund(giver, { kind: 'refund', budget: budgets.indexOf(setting), units: 1, which: 'own' }, rng)
  if (world.admissions.refunded.of(name) === before) return
  const endMs = world.timeline.nowMs + READ_PAUSE_LONGEST_MS + 2.5 * flushIntervalMs
  while (world.timeline.nowMs < endMs) {
    const asked = last.budget(setting).decide(1, { deadlineMs: 5_000 })
    const decision = await waitFor(world, asked, 6_000, `the last process requests the refunded unit of ${setting.key}`)
    if (decision === undefined) return
    if (decision.admitted) return world.addAdmitted(last, setting, periodOf(decision), 1)
    await world.timeline.pass(0.3 * flushIntervalMs)
  }
  must(
    world.timeline.stopped,
    'L5',
    () => `${name}: a unit was refunded, and is denied for a second and two flush intervals, although it is asked for`,
  )
}

/** S6: a budget whose entries are refused is in one batch with all the others, and they are answered. */
export async function probeCorrupt(world: World, last: OwnerProcess): Promise<void> {
  const { budgets, corrupt, waitersMax } = world.script.setting
  if (corrupt === null || waitersMax < budgets.length) return
  const asked = budgets.map((setting) => {
    const decided = last.budget(setting).decide(1, { deadlineMs: 5_000 })
    // Awaited below, one after the other.
    decided.catch(() => undefined)
    return { setting, decided: setting.key === corrupt ? decided.catch(() => null) : decided }
  })
  for (const { setting, decided } of asked) {
    const decision = await waitFor(
      world,
      decided,
      6_000,
      `${setting.key} is in one batch with ${corrupt}, whose entries are refused`,
    )
    if (decision?.admitted !== true || setting.key === corrupt) continue
    world.addAdmitted(last, setting, periodOf(decision), 1)
  }
}

/** After a clock that was ahead is set back, store time moves slowly, and wanted rows stay wanted for longer. */
function isFrozen(world: World): boolean {
  return world.host.now() + 1 < world.audit.latestTime - 2_000
}

/** The store can be reached at the end of a run: each decision is its own. */
function periodOf(decision: Decision): number {
  const known = ofStore(decision)
  must(known !== null, 'O2', () => `the store did not answer: ${JSON.stringify(decision)}`)
  return known.period
}
