import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chaosReport, type ChaosReport } from './chaos-report.ts'
import { Crew } from './crew.ts'
import { Inquest } from './inquest.ts'
import type { ChaosPlan } from './plan.ts'
import { Tallies } from './tallies.ts'
import { Watcher } from './watcher.ts'

export interface RunOptions {
  /** Ends every child at once; the run then rejects with its reason. */
  readonly signal?: AbortSignal
  readonly onProgress?: (part: number, what: string) => void
}

const PROGRESS_EVERY_MS = 200

/** Lets a crew live and die on one file as the plan says, then holds the books against what its children were told. Leaves no process behind. */
export async function runChaos(plan: ChaosPlan, { signal, onProgress }: RunOptions = {}): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-chaos-'))
  let keepsFolder = false
  try {
    const report = await runIn(folder, plan, { ...(signal && { signal }), ...(onProgress && { onProgress }) })
    keepsFolder = report.violations.length > 0
    if (keepsFolder) writeFileSync(join(folder, 'report.json'), JSON.stringify(report, null, 2))
    return report
  } finally {
    if (!keepsFolder) rmSync(folder, { recursive: true, force: true })
  }
}

async function runIn(folder: string, plan: ChaosPlan, { signal, onProgress }: RunOptions): Promise<ChaosReport> {
  const startedAtMs = performance.now()
  const file = join(folder, 'books.db')
  const tallies = new Tallies()
  const crew = new Crew(plan, file, join(folder, 'tallies'), tallies)
  const watcher = new Watcher(file, plan.subjects)
  mkdirSync(join(folder, 'tallies'))
  const stop = (): void => crew.stop()
  signal?.addEventListener('abort', stop)
  const showing = setInterval(() => onProgress?.(crew.part, `${crew.end.kills} kills`), PROGRESS_EVERY_MS)
  try {
    crew.ready.then(() => watcher.start()).catch(stop)
    const end = await crew.run()
    const seen = await watcher.stop()
    const ranMs = performance.now() - startedAtMs
    signal?.throwIfAborted()
    const findings = await new Inquest(plan, file, end, tallies).hold()
    return chaosReport({ plan, folder, ranMs, end, seen, tallies, findings })
  } finally {
    clearInterval(showing)
    signal?.removeEventListener('abort', stop)
    await watcher.stop()
  }
}
