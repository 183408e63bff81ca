import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CallTotals } from './call-totals.ts'
import type { ChaosPlan } from './chaos-plan.ts'
import { chaosServer } from './chaos-server.ts'
import { chaosReport, type ChaosReport } from './chaos-report.ts'
import { FinalVerifier } from './final-verifier.ts'
import { ProcessPool } from './process-pool.ts'
import { StoreMonitor } from './store-monitor.ts'

export interface RunOptions {
  /** Kills every child. The run then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** @param fraction how much of the run is over, from 0 to 1 and a little more */
  readonly onProgress?: (fraction: number, kills: number) => void
}

const PROGRESS_INTERVAL_MS = 200

/** Runs children on one store as the plan says, then compares the store to their call logs. All child processes have ended when it returns. */
export async function runChaos(plan: ChaosPlan, options: RunOptions = {}): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-chaos-'))
  let keepsFolder = false
  try {
    const report = await runIn(folder, plan, options)
    keepsFolder = report.violations.length > 0
    if (keepsFolder) writeFileSync(join(folder, 'report.json'), JSON.stringify(report, null, 2))
    return report
  } finally {
    if (!keepsFolder) rmSync(folder, { recursive: true, force: true })
  }
}

async function runIn(folder: string, plan: ChaosPlan, { signal, onProgress }: RunOptions): Promise<ChaosReport> {
  const startedAtMs = performance.now()
  const server = await chaosServer(plan, folder)
  const { place } = server
  const logFolder = join(folder, 'calls')
  const totals = new CallTotals()
  const monitor = new StoreMonitor(place, plan.budgets)
  const onFirstReady = (): void => {
    monitor.start()
    server.trouble()
  }
  const pool = new ProcessPool(plan, { place, logFolder, totals, onFirstReady })
  mkdirSync(logFolder)
  const stop = (): void => pool.stop()
  signal?.addEventListener('abort', stop)
  const progress = setInterval(() => onProgress?.(pool.fraction, pool.result.kills), PROGRESS_INTERVAL_MS)
  try {
    const result = await pool.run()
    await server.calm()
    const observations = await monitor.stop()
    const runMs = performance.now() - startedAtMs
    signal?.throwIfAborted()
    const findings = await new FinalVerifier(plan, place, result, totals).verify()
    return chaosReport({ plan, folder, runMs, server: server.troubles, pool: result, observations, totals, findings })
  } finally {
    clearInterval(progress)
    signal?.removeEventListener('abort', stop)
    await monitor.stop()
    await server.stop()
  }
}
