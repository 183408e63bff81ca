import type { OwnerProcess } from './owner-process.ts'
import { type ProcessTotals, rowName } from './process-totals.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'
import { waitFor } from './wait-for.ts'
import type { World } from './world.ts'

/** The last process requests at most this many units of one budget, so that the drain of 2^53 units ends. */
const DRAINED_MAX = 100_000

/** L5: every minted unit that is neither used nor burned can be admitted by any owner, wherever it is leased. */
export async function drain(world: World, last: OwnerProcess, setting: BudgetSetting): Promise<void> {
  const budget = last.budget(setting)
  let admitted = 0
  let units = 64
  while (admitted < DRAINED_MAX && !world.timeline.stopped) {
    // Other processes continue to spend: they may hold some units, and must return them.
    for (const owner of world.living) if (owner !== last && owner.machine.running) compete(world, owner, setting)
    const decision = await waitFor(
      world,
      budget.decide(units, { deadlineMs: 10_000 }),
      11_000,
      `the last process asks for ${units} of ${setting.key}`,
    )
    if (decision === undefined) return
    must(decision.remaining !== undefined, 'O2', () => `${setting.key}: the store does not answer`)
    if (decision.admitted) {
      admitted += units
      world.addAdmitted(last, setting, decision.period, units)
      units = Math.min(2 * units, 8_192)
    } else if (units > 1) {
      units = Math.floor(units / 2)
    } else {
      return assertDrained(world, setting, decision.period)
    }
  }
}

/** Another process spends a little, or admits and refunds. Its lease is in use, and must be recalled all the same. */
function compete(world: World, owner: OwnerProcess, setting: BudgetSetting): void {
  const budget = world.script.setting.budgets.indexOf(setting)
  if (budget < 0) return
  if (owner.number % 2 === 0) world.callers.tryMany(owner, { kind: 'try', budget, units: 1, times: 1 })
  else world.callers.churn(owner, { kind: 'churn', budget, times: 1 })
}

/** One unit was denied: no unit may be left. */
function assertDrained(world: World, setting: BudgetSetting, period: number): void {
  const name = rowName(setting.key, period)
  const row = world.audit.rows.get(name)
  if (row === undefined) return
  const { minted, used, reserved, burned, pool } = row.budget
  must(pool <= 0, 'L5', () => `${name}: one unit was denied, and the pool holds ${pool}`)
  let unsent = 0
  for (const { totals, machine } of world.processes) if (!machine.dead) unsent += unsentOf(totals, name)
  // After a clock that was ahead is set back, store time moves slowly, and dead owners are not reaped yet.
  for (const [epoch, held] of row.leases)
    if (world.host.now() <= (world.audit.epoch(epoch)?.expiresAt ?? 0) && isDead(world, epoch)) unsent += held
  const left = minted - used - reserved - burned - unsent
  must(left <= 0, 'L5', () => `${name}: one unit was denied, and ${left} are neither used, reserved, burned nor spent`)
}

function isDead(world: World, epoch: number): boolean {
  const { totals } = world.audit.epoch(epoch) ?? {}
  const owner = world.processes.find((process) => process.totals === totals)
  return owner === undefined || owner.machine.dead || owner.ambiguous || owner.vsa.stats().epoch !== epoch
}

/** What a process admitted and has not settled, as far as its lease covers it. */
function unsentOf({ admitted, refunded, refused, settled, accepted, held }: ProcessTotals, name: string): number {
  const net = admitted.of(name) - refunded.of(name) + refused.of(name) - settled.of(name) + accepted.of(name)
  return Math.min(Math.max(net, 0), held.of(name))
}
