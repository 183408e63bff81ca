import { invariant } from '../../core/errors.ts'
import { compilePolicy } from '../../core/policies/compile.ts'
import type { Per, WindowPolicy } from '../../core/policy.ts'
import { count } from '../format.ts'
import { bar, liveLine } from '../progress.ts'
import type { Report } from '../report.ts'
import { placeOf } from '../stores/place-of.ts'
import type { KeyField } from './key-field.ts'
import { replayReport } from './replay-report.ts'
import { type EngineOptions, type ReplayProgress, replayRuns } from './replay-run.ts'
import { assertClocked, type ClockedPlace } from './replay-store.ts'

export interface ReplayOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly key: KeyField
  readonly limit: number
  readonly per: Per
  readonly flushIntervalMs: number
  /** The address of a new SQLite file to keep; absent for a store in memory. */
  readonly store?: string
  readonly showsProgress: boolean
}

/** The flush intervals that are compared. */
const INTERVALS_MS: readonly number[] = [100, 1_000, 10_000, 60_000, 600_000]

/** Runs a log through one engine for each flush interval, each with a store of its own, side by side. */
export async function replay(options: ReplayOptions): Promise<Report> {
  const { file, key, flushIntervalMs } = options
  const policy: WindowPolicy = { limit: options.limit, per: options.per }
  const { atRisk } = compilePolicy(policy)
  const place = options.store === undefined ? undefined : await newPlace(options.store)
  const asked: EngineOptions = { flushIntervalMs, ...(place === undefined ? {} : { place }) }
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
    return replayReport({ file, key: key.spelling, policy, atRisk, run, runs, store: place?.name ?? null })
  } finally {
    live.done()
  }
}

async function newPlace(address: string): Promise<ClockedPlace> {
  const place = placeOf(address)
  assertClocked(place)
  await place.assertNew()
  return place
}

function progressText({ fraction, lines }: ReplayProgress): string {
  const read = `${count(lines)} lines`
  return fraction === null ? read : `${bar(fraction)}  ${read}`
}
