import { invariant } from '../../core/errors.ts'
import { compilePolicy } from '../../core/policies/compile.ts'
import type { Per, WindowPolicy } from '../../core/policy.ts'
import { count } from '../format.ts'
import { bar, liveLine } from '../progress.ts'
import type { Report } from '../report.ts'
import { newStorePath } from '../store-place.ts'
import type { KeyField } from './key-field.ts'
import { replayReport } from './replay-report.ts'
import { type EngineOptions, type ReplayProgress, replayRuns } from './replay-run.ts'

export interface ReplayOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly key: KeyField
  readonly limit: number
  readonly per: Per
  readonly flushIntervalMs: number
  /** A new SQLite file to keep; absent for a store in memory. */
  readonly storePath?: string
  readonly showsProgress: boolean
}

/** The flush intervals that are compared. */
const INTERVALS_MS: readonly number[] = [100, 1_000, 10_000, 60_000, 600_000]

/** Runs a log through one engine for each flush interval, each with a store of its own, side by side. */
export async function replay(options: ReplayOptions): Promise<Report> {
  const { file, key, flushIntervalMs } = options
  const policy: WindowPolicy = { limit: options.limit, per: options.per }
  const { atRisk } = compilePolicy(policy)
  const storePath = options.storePath === undefined ? undefined : newStorePath(options.storePath)
  const asked: EngineOptions = { flushIntervalMs, ...(storePath === undefined ? {} : { storePath }) }
  const others = INTERVALS_MS.filter((intervalMs) => intervalMs !== flushIntervalMs)
  const live = liveLine(options.showsProgress)
  try {
    const all = await replayRuns({
      file,
      key,
      policy,
      engines: [asked, ...others.map((intervalMs) => ({ flushIntervalMs: intervalMs }))],
      onProgress: (progress) => live.show(() => progressText(progress)),
    })
    const [run] = all
    invariant(run !== undefined, 'each engine gives a run')
    const runs = INTERVALS_MS.flatMap((intervalMs) => all.filter((each) => each.flushIntervalMs === intervalMs))
    return replayReport({ file, key: key.spelling, policy, atRisk, run, runs, storePath: storePath ?? null })
  } finally {
    live.done()
  }
}

function progressText({ fraction, lines }: ReplayProgress): string {
  const read = `${count(lines)} lines`
  return fraction === null ? read : `${bar(fraction)}  ${read}`
}
