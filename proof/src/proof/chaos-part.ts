import type { StoreKind } from '../chaos/chaos-store.ts'
import { check, type Part, type PartResult } from './part.ts'
import { runChaosProgram } from './programs.ts'

const KILLS = 250
const SEED = Number(process.env['VSA_CHAOS_SEED'] ?? 20_261_122)
/** Store time must run ahead: this shows that clocks are wrong in the thread that writes the file, too. */
const STORE_TIME_AHEAD_MIN_MS = 10_000

/** Real processes on one file, with kills, pauses and wrong clocks. */
export const chaosPart: Part = {
  name: 'chaos',
  expectedSeconds: 90,
  run: async (signal) => {
    const report = await runChaosProgram({ kills: KILLS, seed: SEED, store: 'sqlite' }, signal)
    const happened = {
      kills: report.kills >= KILLS,
      closes: report.closes > 0,
      'pauses beyond the lease': report.pausesBeyondLease > 0,
      'clock jumps back': report.clockJumpsBack > 0,
      'fenced owners': report.fencedOwners > 0,
      'requests answered': report.operations > KILLS,
      periods: report.periods > 0,
      'store time ahead': report.storeTimeAheadMs > STORE_TIME_AHEAD_MIN_MS,
    }
    return {
      checks: [
        check('no law is broken', report.violations.length === 0, [...report.violations, report.folder].join('\n')),
        ...Object.entries(happened).map(([name, holds]) => check(name, holds, 'did not happen')),
      ],
      skipped: [],
      summary: `${report.processes} processes, ${report.kills} kills, ${report.pausesBeyondLease} pauses, ${report.clockJumps} clock jumps, ${report.operations} requests, ${report.violations.length} violations`,
    }
  },
}

/** Fewer: a server is killed again and again, too. */
const SERVER_KILLS = 60

/** Real processes on one server of each kind, which is killed, and stopped for a while, as well. Both at once: most of the time they wait. */
export const serverChaosPart: Part = {
  name: 'chaos on servers',
  expectedSeconds: 80,
  run: async (signal) => {
    const results = await Promise.all([chaosOn('postgres', signal), chaosOn('redis', signal)])
    return {
      checks: results.flatMap(({ checks }) => checks),
      skipped: [],
      summary: results.map(({ summary }) => summary).join('; '),
    }
  },
}

async function chaosOn(store: Exclude<StoreKind, 'sqlite'>, signal: AbortSignal): Promise<PartResult> {
  const report = await runChaosProgram({ kills: SERVER_KILLS, seed: SEED, store }, signal)
  const { violations, folder, kills, serverKills, serverPauses, pausesBeyondLease, operations } = report
  return {
    checks: [
      check(`${store}: no law is broken`, violations.length === 0, [...violations, folder].join('\n')),
      check(`${store}: kills`, kills >= SERVER_KILLS, 'did not happen'),
      check(`${store}: kills of the server`, serverKills > 1, `${serverKills}`),
      check(`${store}: pauses of the server`, serverPauses > 0, 'did not happen'),
      check(`${store}: pauses beyond the lease`, pausesBeyondLease > 0, 'did not happen'),
      check(`${store}: requests answered`, operations > SERVER_KILLS, `${operations}`),
    ],
    skipped: [],
    summary: `${store}: ${kills} kills, ${serverKills} of the server, ${serverPauses} pauses of it, ${operations} requests, ${violations.length} violations`,
  }
}
