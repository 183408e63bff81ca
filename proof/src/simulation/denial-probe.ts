import type { OwnerProcess } from './owner-process.ts'
import { rowName } from './process-totals.ts'
import type { BudgetSetting } from './script.ts'
import { must } from './violation.ts'
import { waitFor } from './wait-for.ts'
import type { World } from './world.ts'

/** Requests that are denied, and the flush intervals that they are spread over. */
const REQUESTS = 80
const INTERVALS = 10
/** Exchanges of the last process that name the row: the one that is under way, and the first denial. Each other one may learn of it once. */
const EXCHANGES_MAX = 2
/** The pause before each read doubles: fewer than one in two intervals. */
const READS_MAX = INTERVALS / 2
/** One exchange for each request is visible only when an interval has room for many requests. */
const EXCHANGES_PER_INTERVAL_MIN = 8

/**
 * L6: a denial costs nothing. An exhausted row is requested repeatedly. It causes at most one read per flush interval (O12), and no exchange
 * after the first denial; the denials change no unit and write no record.
 */
export async function probeDenials(world: World, last: OwnerProcess, setting: BudgetSetting): Promise<void> {
  const { timeline, script, network, audit } = world
  const { flushIntervalMs } = script.setting
  if (timeline.stopped || 2 * network.faultRates.latencyMaxMs * EXCHANGES_PER_INTERVAL_MIN > flushIntervalMs) return
  // Earlier admissions are written now, so that they are not counted with the denials.
  await waitFor(world, last.vsa.flush(), 6_000, 'the last process flushes')
  const { period } = await last.budget(setting).decide(0)
  if (period === undefined) return
  const name = rowName(setting.key, period)
  const row = audit.rows.get(name)
  if (timeline.stopped || row === undefined || row.budget.pool > 0 || row.leases.size > 0) return
  const before = last.vsa.stats()
  // Keepalives and other rows have calls of their own.
  const namedBefore = audit.naming.get(name) ?? 0
  const othersBefore = othersNamed(audit.naming, name)
  let denied = 0
  for (let asked = 0; asked < REQUESTS && !timeline.stopped; asked += 1) {
    last
      .budget(setting)
      .decide(1)
      .then(
        (decision) => {
          // The period may end meanwhile: then the next one admits.
          if (decision.admitted) world.addAdmitted(last, setting, decision.period ?? 0, 1)
          else if (decision.period === period) denied += 1
        },
        // The store may be slow to answer: a timeout is not a denial.
        () => undefined,
      )
    await timeline.pass((INTERVALS * flushIntervalMs) / REQUESTS)
  }
  await timeline.pass(flushIntervalMs)
  if (timeline.stopped || denied < REQUESTS) return
  world.scenarios.note('35 an exhausted row is asked for again and again')
  const after = last.vsa.stats()
  const calls = (audit.naming.get(name) ?? 0) - namedBefore
  const exchangesMax = EXCHANGES_MAX + world.living.length - 1
  must(calls <= exchangesMax, 'L6', () => `${name}: ${denied} denials caused ${calls} exchanges`)
  const reads = after.reads - before.reads
  must(reads <= READS_MAX, 'L6', () => `${name}: ${denied} denials caused ${reads} reads`)
  // Each entry of another row may write one, such as the next period of a budget that was used lately.
  const records = after.records - before.records
  const othersMax = othersNamed(audit.naming, name) - othersBefore
  must(records <= othersMax, 'L6', () => `${name}: ${denied} denials wrote records`)
  const unitsOf = ({ minted, used, burned, limit }: typeof row.budget): string =>
    JSON.stringify({ minted, used, burned, limit })
  const now = audit.rows.get(name)?.budget ?? row.budget
  must(
    unitsOf(now) === unitsOf(row.budget),
    'L6',
    () => `${name}: denials changed ${unitsOf(row.budget)} to ${unitsOf(now)}`,
  )
}

/** How often other rows were named by entries. */
function othersNamed(naming: ReadonlyMap<string, number>, name: string): number {
  let times = 0
  for (const [other, count] of naming) if (other !== name) times += count
  return times
}
