import type { Contender } from '../contenders/contender.ts'
import type { Workload } from '../workloads/workload.ts'
import type { Account } from './account.ts'
import { Fleet } from './fleet.ts'
import type { Stretch } from './messages.ts'
import type { Percentiles } from './open-loop.ts'
import { figure, rowOf, type Row } from './row.ts'
import type { Settings } from './plan.ts'
import type { Failure, LatencyRow } from './result.ts'
import type { Servers } from './servers.ts'

/** Callers of a sale. */
const CROWD = 4_096
/** Before each round of those that do not lease. */
const REWARM_SECONDS = 0.1

export interface HeatResult {
  readonly rows: Row[]
  readonly latencies: LatencyRow[]
  readonly failures: Failure[]
}

export interface HeatRun {
  readonly workload: Workload
  readonly contenders: readonly Contender[]
  /** Of these the latency is measured as well. */
  readonly timed: readonly Contender[]
  readonly settings: Settings
  readonly servers: Servers
  readonly processes: number
  /** In the names of places: not used before. */
  readonly id: string
  /** Called when a part of the work is done. */
  readonly onDone: (text: string) => void
}

/** One fleet with what it has done so far. */
interface Lane {
  readonly fleet: Fleet
  readonly rounds: (readonly Stretch[])[]
  readonly accounts: Account[]
  failure: string | null
}

/** All contenders of one workload, by turns: other work on the machine then affects all of them alike. Every other round is in reverse order. */
export async function runHeat(run: HeatRun): Promise<HeatResult> {
  const { workload, contenders, settings, servers, processes, id } = run
  const result: HeatResult = { rows: [], latencies: [], failures: [] }
  const lanes: Lane[] = []
  try {
    for (const [at, contender] of contenders.entries()) {
      const fleet = await Fleet.start(contender, workload, servers, { name: `${id}_${at}`, processes })
      lanes.push({ fleet, rounds: [], accounts: [], failure: null })
    }
    const isTimed = workload.ends === 'time'
    if (isTimed) await each(lanes, (lane) => warmUp(lane, settings))
    for (let round = 0; round < settings.rounds; round += 1) {
      await each(round % 2 === 0 ? lanes : lanes.toReversed(), async (lane) => {
        lane.rounds.push(await (isTimed ? timedRound(lane, settings) : wholeRound(lane, settings)))
        run.onDone(`${workload.name}: ${lane.fleet.contender.name}`)
      })
    }
    await each(lanes, (lane) => latencyOf(lane, run, result.latencies))
    if (isTimed) await each(lanes, async (lane) => void lane.accounts.push(await lane.fleet.close()))
    for (const lane of lanes) report(lane, settings, result)
    return result
  } finally {
    await Promise.all(lanes.map(({ fleet }) => fleet.end()))
  }
}

/** One after the other. A lane that has failed is left out from then on. */
async function each(lanes: readonly Lane[], work: (lane: Lane) => Promise<void>): Promise<void> {
  for (const lane of lanes) {
    if (lane.failure !== null) continue
    try {
      await work(lane)
    } catch (error) {
      lane.failure = error instanceof Error ? error.message : String(error)
    }
  }
}

async function warmUp({ fleet }: Lane, { callers, warmUpSeconds }: Settings): Promise<void> {
  await fleet.open()
  await fleet.closedLoop(callers, warmUpSeconds, 0)
  await fleet.pause()
}

async function timedRound({ fleet }: Lane, { callers, seconds, leaseSeconds }: Settings): Promise<readonly Stretch[]> {
  const isLeased = fleet.contender.group === 'vsa-leased'
  const stretches = await fleet.closedLoop(callers, seconds, isLeased ? leaseSeconds : REWARM_SECONDS)
  await fleet.pause()
  return stretches
}

/** Opens, runs until it is over, and closes. */
async function wholeRound({ fleet, accounts }: Lane, settings: Settings): Promise<readonly Stretch[]> {
  await fleet.open()
  const callers = callersOf(fleet.workload, settings.callers)
  const stretches = await fleet.closedLoop(callers, settings.wholeSecondsMax, 0)
  accounts.push(await fleet.close())
  return stretches
}

function callersOf({ ends }: Workload, callers: number): number {
  return ends === 'sold-out' ? CROWD : callers
}

/** At each rate, until one is not kept up with. */
async function latencyOf({ fleet }: Lane, { timed, settings }: HeatRun, latencies: LatencyRow[]): Promise<void> {
  const { contender } = fleet
  if (!timed.includes(contender)) return
  for (const rate of settings.rates) {
    const { latency, counts, seconds } = await fleet.openLoop(rate, settings.openSeconds, settings.openSeconds / 5)
    await fleet.pause()
    const { name, title, group, store } = contender
    latencies.push({
      ...{ contender: name, title, group, store, storeCallsPerSecond: figure(counts.calls / seconds) },
      ...latency,
      answeredPerSecond: figure(latency.answeredPerSecond),
      fromDueUs: rounded(latency.fromDueUs),
      fromCallUs: rounded(latency.fromCallUs),
    })
    if (!latency.isKeptUp) return
  }
}

function rounded({ p50, p99, p999, curve }: Percentiles): Percentiles {
  const points = curve.map(([percentile, us]) => [percentile, figure(us)] as const)
  return { p50: figure(p50), p99: figure(p99), p999: figure(p999), curve: points }
}

function report({ fleet, rounds, accounts, failure }: Lane, { callers }: Settings, result: HeatResult): void {
  const { contender, workload } = fleet
  const problems = [...(failure === null ? [] : [failure]), ...accounts.flatMap((account) => account.problems)]
  if (problems.length === 0) {
    result.rows.push(rowOf(contender, workload, callersOf(workload, callers), rounds, accounts))
    return
  }
  result.failures.push({ workload: workload.name, contender: contender.name, problems })
  const kept = result.latencies.filter((row) => row.contender !== contender.name)
  result.latencies.splice(0, result.latencies.length, ...kept)
}
