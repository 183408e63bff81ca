import { machine } from '../report/machine.ts'
import { missingInput } from '../workloads/access-log.ts'
import { workloadNamed } from '../workloads/catalog.ts'
import { floorsOf } from './floors.ts'
import { Fleet } from './fleet.ts'
import { runHeat, type HeatRun } from './heat-run.ts'
import type { FiguresAt } from './messages.ts'
import { LATENCY_WORKLOAD, SHARED_WORKLOAD, type Plan } from './plan.ts'
import type { Failure, LatencyRow, Result } from './result.ts'
import type { Row } from './row.ts'
import { Servers } from './servers.ts'
import { versions } from './versions.ts'

const GROWTH_EVERY_MS = 100

export interface Progress {
  /** @param steps calls of `done` that will come */
  start(steps: number): void
  done(text: string): void
}

/** Runs the whole plan. Nothing is left of it: servers and files are temporary. */
export async function runPlan(plan: Plan, folder: string, command: string, progress: Progress): Promise<Result> {
  const host = machine()
  const servers = new Servers(folder)
  const rows: Row[] = []
  const latencies: LatencyRow[] = []
  const failures: Failure[] = []
  const skipped: string[] = []
  progress.start(stepsOf(plan))
  const common = { settings: plan.settings, servers, onDone: (text: string) => progress.done(text) }
  try {
    for (const [at, { workload, contenders }] of plan.heats.entries()) {
      const missing = missingInput(workload)
      if (missing !== null) {
        skipped.push(`${workload.name}: ${missing}`)
        process.stderr.write(`\nSKIPPED: the workload ${workload.name}. ${missing}\n\n`)
        continue
      }
      const timed = workload.name === LATENCY_WORKLOAD ? plan.latencies : []
      const heat = await runHeat({ ...common, workload, contenders, timed, processes: 1, id: `heat_${at}` })
      rows.push(...heat.rows)
      latencies.push(...heat.latencies)
      failures.push(...heat.failures)
    }
    const shared = await runShared(plan, common, failures)
    const growth = await runGrowth(plan, servers)
    return {
      ...{ bench: 'compare', command, at: new Date().toISOString(), machine: host, versions: versions() },
      stores: ['SQLite: libsql, journal_mode=WAL, synchronous=FULL', ...(await servers.settings())],
      ...{
        settings: plan.settings,
        rows,
        latencies,
        growth,
        shared,
        floors: floorsOf(rows, latencies),
        failures,
        skipped,
      },
    }
  } finally {
    await servers.stop()
  }
}

/** All processes on one store, from one to as many as wished for. */
async function runShared(
  { shared, settings }: Plan,
  common: Pick<HeatRun, 'settings' | 'servers' | 'onDone'>,
  failures: Failure[],
): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let processes = 1; processes <= settings.processes; processes += 1) {
    const workload = workloadNamed(SHARED_WORKLOAD)
    const id = `shared_${processes}`
    const heat = await runHeat({ ...common, workload, contenders: shared, timed: [], processes, id })
    rows.push(...heat.rows)
    failures.push(...heat.failures)
  }
  return rows
}

/** What one contender has decided and written over time, at full speed. */
async function runGrowth({ growth, settings }: Plan, servers: Servers): Promise<readonly FiguresAt[]> {
  if (growth === null) return []
  const fleet = await Fleet.start(growth, workloadNamed(LATENCY_WORKLOAD), servers, { name: 'growth', processes: 1 })
  try {
    await fleet.open()
    const figures = await fleet.figures(settings.callers, settings.growthSeconds, GROWTH_EVERY_MS)
    await fleet.close()
    return figures.map((at) => ({ ...at, seconds: Number(at.seconds.toFixed(2)) }))
  } finally {
    await fleet.end()
  }
}

function stepsOf({ heats, shared, settings }: Plan): number {
  const contenders = heats.reduce((sum, heat) => sum + heat.contenders.length, 0) + shared.length * settings.processes
  return contenders * settings.rounds
}
