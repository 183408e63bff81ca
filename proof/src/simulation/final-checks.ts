import { drain } from './drain.ts'
import { assertEnded, settleWhileClosing } from './final-reservations.ts'
import { assertTotals } from './final-totals.ts'
import type { OwnerProcess } from './owner-process.ts'
import { probeDenials } from './denial-probe.ts'
import { Rng } from './rng.ts'
import type { RowView } from './row-view.ts'
import { probeCorrupt, probeRecall, probeReturn } from './stranding-probes.ts'
import { must } from './violation.ts'
import { waitFor } from './wait-for.ts'
import { wideBudget } from './wide-budgets.ts'
import type { World } from './world.ts'

const NO_FAULTS = { refused: 0, requestLost: 0, answerLost: 0, reset: 0, duplicated: 0, slow: 0, storeDies: 0 }
/** The shortest retention, the longest of the short periods, and how late upkeep may be when nothing else is done. */
const RETENTION_LEAST_MS = 120_000
const PERIOD_SHORT_MS = 4_000
const UPKEEP_SLACK_MS = 12_000
/** Of many equal budgets, the first few are checked to the unit. */
const WIDE_CHECKED = 2

/**
 * The end of every run. The faults stop. Then each call is answered (O10), one process can admit what is left of each budget (L5), denials
 * cost nothing (L6), idle owners hold nothing and have no timer (O6, G3), closes are confirmed (O13), and the totals agree to the unit (L3).
 */
export async function runFinalChecks(world: World): Promise<void> {
  const { script, timeline, network, host, scenarios } = world
  const { setting } = script
  network.faultRates = {
    ...setting.faultRates,
    ...NO_FAULTS,
    latencyMaxMs: Math.min(setting.faultRates.latencyMaxMs, setting.exchangeTimeoutMs / 4),
  }
  world.storeFaults.unlock()
  await host.recover()
  for (const { machine } of world.processes) machine.goOn()
  // Joins are tried for five exchange timeouts, and retried within 2 s; slow messages arrive; dead owners expire; refused refunds are given up.
  await timeline.pass(
    3 * setting.leaseTtlMs + 5 * setting.exchangeTimeoutMs + 2_000 + 2 * setting.faultRates.slowMaxMs + 2_000,
  )
  if (setting.places >= 100) scenarios.note('18 a hundred owners start cold')
  assertAnswered(world)
  const last = world.start(0)
  await waitFor(world, last.vsa.ready(), 3_000, 'the last process joins')
  await probeCorrupt(world, last)
  const wide = Array.from({ length: WIDE_CHECKED }, (_, number) => wideBudget(setting, number) ?? []).flat()
  for (const budget of [...setting.budgets, ...wide]) {
    if (!budget.lasting || budget.key === setting.corrupt) continue
    if (setting.budgets.includes(budget)) await probeRecall(world, last, budget)
    await drain(world, last, budget)
    await probeDenials(world, last, budget)
    if (setting.budgets.includes(budget)) await probeReturn(world, last, budget)
  }
  await rest(world)
  await restLong(world)
  await closeAll(world)
  assertTotals(world)
}

function assertAnswered(world: World): void {
  if (world.timeline.stopped) return
  for (const { machine, requests } of world.processes) if (!machine.dead) requests.assertNone()
}

/** O6, G3, S8: an idle owner holds nothing and has no timer, and the leases of ended epochs are burned. */
async function rest(world: World): Promise<void> {
  const { timeline, script } = world
  const { setting } = script
  if (timeline.stopped) return
  for (const owner of world.living) world.callers.flush(owner, { kind: 'flush', returnLeases: false })
  await timeline.pass(2 * setting.leaseTtlMs + 12 * setting.flushIntervalMs + 2_000)
  if (timeline.stopped) return
  assertAnswered(world)
  assertNoLeases(world)
  for (const owner of world.living) if (setting.corrupt === null) await assertIdle(world, owner)
}

/** S10: rows of short periods go although every owner is silent. */
async function restLong(world: World): Promise<void> {
  const { timeline, host, audit, network, violations, script } = world
  if (timeline.stopped || !network.hasUpkeep) return
  await timeline.pass(RETENTION_LEAST_MS + PERIOD_SHORT_MS + 2 * script.setting.leaseTtlMs + UPKEEP_SLACK_MS)
  const dueAt = host.now() - UPKEEP_SLACK_MS
  assertEnded(world, dueAt)
  const isLate = ({ budget: { keepUntil, reserved }, leases }: RowView): boolean =>
    keepUntil !== null && keepUntil < dueAt && leases.size === 0 && reserved === 0
  const late = [...audit.rows].filter(([, row]) => isLate(row)).map(([name]) => name)
  violations.attempt(() =>
    must(late.length === 0, 'S10', () => `${late.length} rows are past their retention, such as ${late[0]}`),
  )
}

function assertNoLeases({ audit, host, script, processes, violations }: World): void {
  for (const [name, { budget, leases }] of audit.rows) {
    if (budget.key === script.setting.corrupt) continue
    for (const epoch of leases.keys()) {
      const view = audit.epoch(epoch)
      // After a clock that was ahead is set back, store time moves slowly, and epochs expire later.
      if (host.now() <= (view?.storedExpiresAt ?? 0)) continue
      const owner = processes.find((process) => process.epoch === epoch)
      const isAlive = view?.end === null && owner !== undefined && !owner.machine.dead
      const law = isAlive ? 'O6' : 'S8'
      violations.attempt(() =>
        must(false, law, () => `${name}: epoch ${epoch} is idle or ended, and still has a lease`),
      )
    }
  }
}

async function assertIdle(world: World, owner: OwnerProcess): Promise<void> {
  if (await isAhead(world, owner)) return
  const { violations } = world
  const { timers } = owner.machine
  // The one that calls for upkeep.
  const timersMax = world.network.hasUpkeep ? 1 : 0
  violations.attempt(() =>
    must(timers <= timersMax, 'G3', () => `${owner.name} holds nothing, and has ${timers} timers`),
  )
  const { waiters, leasedUnits } = owner.vsa.stats()
  violations.attempt(() =>
    must(
      waiters === 0 && leasedUnits === 0,
      'O6',
      () => `${owner.name} is idle, with ${waiters} waiters and ${leasedUnits} units`,
    ),
  )
}

/** O11: a budget entered a period before the clock was set back. Its engine waits for that period with a timer. */
async function isAhead(world: World, owner: OwnerProcess): Promise<boolean> {
  const { budgets } = world.script.setting
  const looks = await Promise.all(budgets.map((setting) => owner.budget(setting).decide(0)))
  return looks.some(({ period = 0 }) => period > world.host.now())
}

async function closeAll(world: World): Promise<void> {
  if (world.timeline.stopped) return
  for (const owner of world.living) {
    world.close(owner, 10_000, false)
    for (const afterMs of [0, 1, 7, 40]) world.timeline.after(afterMs, () => giveBackOne(world, owner))
    for (const afterMs of [0, 3]) world.timeline.after(afterMs, () => settleWhileClosing(world, owner))
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
  const rng = new Rng(world.script.seed, 'late refund', owner.number)
  for (const [budget, { key }] of budgets.entries()) {
    if (key !== corrupt) world.callers.refund(owner, { kind: 'refund', budget, units: 1, which: 'own' }, rng)
  }
}
