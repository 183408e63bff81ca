import { PERIOD_MAX_MS } from '../../core/policy.ts'
import { compilePolicy } from '../../core/policies/compile.ts'
import type { Per, WindowPolicy } from '../../core/policy.ts'
import { duration } from '../format.ts'
import { bar, liveLine } from '../progress.ts'
import type { Report } from '../report.ts'
import { newStorePath, withTemporaryFolder } from '../store-place.ts'
import type { KeyField } from './key-field.ts'
import { replayReport } from './replay-report.ts'
import { type ReplayRun, replayRun } from './replay-run.ts'

export interface ReplayOptions {
  readonly file: string
  readonly key: KeyField
  readonly limit: number
  readonly per: Per
  readonly flushIntervalMs: number
  /** A new SQLite file to keep; absent for a temporary one. */
  readonly storePath?: string
  readonly showsProgress: boolean
}

/** The flush intervals that are compared. */
const INTERVALS_MS: readonly number[] = [100, 1_000, 10_000, 60_000, 600_000]

/** Runs a log through the engine and a SQLite file, once for each flush interval. */
export async function replay(options: ReplayOptions): Promise<Report> {
  // Rows of past periods are kept, so that their units can be added up afterwards.
  const policy: WindowPolicy = { limit: options.limit, per: options.per, retentionMs: PERIOD_MAX_MS }
  const { atRisk } = compilePolicy(policy)
  const storePath = options.storePath === undefined ? undefined : newStorePath(options.storePath)
  const live = liveLine(options.showsProgress)
  try {
    return await withTemporaryFolder(async (temporary) => {
      const runAt = (flushIntervalMs: number, path: string): Promise<ReplayRun> =>
        replayRun({
          file: options.file,
          key: options.key,
          policy,
          flushIntervalMs,
          storePath: path,
          onProgress: (fraction) => live.show(() => `${bar(fraction)}  flushing every ${duration(flushIntervalMs)}`),
        })
      const run = await runAt(options.flushIntervalMs, storePath ?? temporary('replay.db'))
      const runs: ReplayRun[] = []
      for (const interval of INTERVALS_MS) {
        runs.push(interval === run.flushIntervalMs ? run : await runAt(interval, temporary(`replay-${interval}.db`)))
      }
      const { file, key } = options
      return replayReport({ file, key: key.spelling, policy, atRisk, run, runs, storePath: storePath ?? null })
    })
  } finally {
    live.done()
  }
}
