import type { WindowPolicy } from '../../core/policy.ts'
import { CommandError } from '../report.ts'
import type { KeyField } from './key-field.ts'
import { STANDARD_INPUT, readLines } from './log-file.ts'
import type { ReplayRequest } from './replay-request.ts'
import type { ClockedPlace } from './replay-store.ts'
import { ReplayedEngine, type ReplayOutcome } from './replayed-engine.ts'
import { type LogTally, RequestReader } from './request-reader.ts'

export interface ReplayRunsOptions {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly key: KeyField
  readonly policy: WindowPolicy
  readonly engines: readonly EngineOptions[]
  /** Called after each part of the log. */
  readonly onProgress: (progress: ReplayProgress) => void
}

export interface ReplayProgress {
  /** Lines read so far. */
  readonly lines: number
  /** Of the log, 0 to 1; null where its size is not known. */
  readonly fraction: number | null
}

/** One engine of a replay. */
export interface EngineOptions {
  readonly flushIntervalMs: number
  /** A new place for the rows; absent for a store in memory. */
  readonly place?: ClockedPlace
}

/** The result of a log at one flush interval. */
export interface ReplayRun extends ReplayOutcome {
  readonly log: LogTally
}

/** Runs a log through new engines, on the time of the log, and adds up their rows afterwards. The log is read once: it may be a pipe. */
export async function replayRuns(options: ReplayRunsOptions): Promise<readonly ReplayRun[]> {
  const { file, engines, onProgress } = options
  const reader = new RequestReader(options.key)
  let replays: readonly ReplayedEngine[] | undefined
  for await (const requests of requestsOf(file, reader, onProgress)) {
    const [first] = requests
    if (first === undefined) continue
    replays ??= await Promise.all(engines.map((engine) => ReplayedEngine.begin({ ...options, ...engine }, first.at)))
    for (const replay of replays) await replay.run(requests)
  }
  if (replays === undefined) throw noRequests(file, reader.tally)
  const runs: ReplayRun[] = []
  for (const replay of replays) runs.push({ log: reader.tally, ...(await replay.end()) })
  return runs
}

async function* requestsOf(
  file: string,
  reader: RequestReader,
  onProgress: ReplayRunsOptions['onProgress'],
): AsyncGenerator<readonly ReplayRequest[]> {
  for await (const { lines, fraction } of readLines(file)) {
    yield reader.read(lines)
    onProgress({ fraction, lines: reader.tally.lines })
  }
  yield reader.end()
}

function noRequests(file: string, { lines, badExamples: [example] }: LogTally): CommandError {
  const name = file === STANDARD_INPUT ? 'standard input' : file
  const why = example === undefined ? 'it is empty' : `line ${example.line}: ${example.reason}`
  return new CommandError('no_requests', `none of the ${lines} lines of ${name} is a request: ${why}`)
}
