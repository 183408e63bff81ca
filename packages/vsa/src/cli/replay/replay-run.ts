import type { WindowPolicy } from '../../core/policy.ts'
import { type Family, open, type Stats } from '../../index.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { CommandError } from '../report.ts'
import { type StoreTotals, readTotals } from '../store-totals.ts'
import { KeyIntervals, type KeyIntervalTally } from './key-intervals.ts'
import { type DecisionTally, Decisions } from './decisions.ts'
import type { KeyField } from './key-field.ts'
import { LogClock } from './log-clock.ts'
import { readLines } from './log-file.ts'
import { type LogTally, type ReplayRequest, RequestReader } from './request-reader.ts'
import { watchStore } from './watched-store.ts'

export interface ReplayRunOptions {
  readonly file: string
  readonly key: KeyField
  readonly policy: WindowPolicy
  readonly flushIntervalMs: number
  /** A file that does not exist yet. */
  readonly storePath: string
  /** Called with the fraction of the file read so far, 0 to 1. */
  readonly onProgress: (fraction: number) => void
}

/** The result of one pass over a log, at one flush interval. */
export interface ReplayRun {
  readonly flushIntervalMs: number
  readonly log: LogTally
  readonly decisions: DecisionTally
  readonly keyIntervals: KeyIntervalTally
  readonly stats: Stats
  /** The most units leased at any one time. */
  readonly leasedMost: number
  /** Of the store, afterwards. */
  readonly totals: StoreTotals
}

/** An owner with leases exchanges at least each third of this (O6), which must not shorten the flush interval. */
const LEASE_TTL_LEAST_MS = 30_000

/** Runs a log through a new engine and a new SQLite file, on the time of the log, and adds up the rows afterwards. */
export async function replayRun(options: ReplayRunOptions): Promise<ReplayRun> {
  const reader = new RequestReader(options.key)
  const keyIntervals = new KeyIntervals(options.flushIntervalMs)
  let replay: Replay | undefined
  for await (const requests of requestsOf(options.file, reader, options.onProgress)) {
    const [first] = requests
    if (first === undefined) continue
    replay ??= await Replay.begin(options, first.at)
    for (const request of requests) {
      keyIntervals.add(request)
      await replay.decide(request)
    }
  }
  if (replay === undefined) throw noRequests(options.file, reader.tally)
  const outcome = await replay.end()
  return {
    flushIntervalMs: options.flushIntervalMs,
    log: reader.tally,
    keyIntervals: keyIntervals.tally,
    ...outcome,
    totals: await readTotals(options.storePath),
  }
}

async function* requestsOf(
  file: string,
  reader: RequestReader,
  onProgress: (fraction: number) => void,
): AsyncGenerator<readonly ReplayRequest[]> {
  for await (const { lines, fraction } of readLines(file)) {
    yield reader.read(lines)
    onProgress(fraction)
  }
  yield reader.end()
}

function noRequests(file: string, { lines, badExamples: [example] }: LogTally): CommandError {
  const why = example === undefined ? 'the file is empty' : `line ${example.line} is ${example.reason}`
  return new CommandError('no_requests', `none of the ${lines} lines of ${file} is a request: ${why}`)
}

/** An engine with the clock and the store of a replay. */
class Replay {
  readonly #clock: LogClock
  readonly #store: ReturnType<typeof watchStore>
  readonly #vsa: ReturnType<typeof open>
  readonly #family: Family
  readonly #decisions = new Decisions()

  private constructor({ storePath, flushIntervalMs, key, policy }: ReplayRunOptions, start: number) {
    this.#clock = new LogClock(start)
    const leaseTtlMs = Math.max(LEASE_TTL_LEAST_MS, 4 * flushIntervalMs)
    const store = sqlite(storePath, { thread: false, leaseTtlMs, now: () => this.#clock.now() })
    this.#store = watchStore(store, this.#clock)
    this.#vsa = open({
      store: this.#store,
      label: 'vsa replay',
      flushIntervalMs,
      clock: this.#clock,
      random: () => 0.5, // the same log gives the same answer
      onEvent: () => undefined,
    })
    this.#family = this.#vsa.budgets(key.family, policy)
  }

  static async begin(options: ReplayRunOptions, start: number): Promise<Replay> {
    const replay = new Replay(options, start)
    await replay.#clock.until(replay.#vsa.ready())
    return replay
  }

  /** Asks for the units of a request at its time. The decision may come later, when the time of the log has moved on. */
  async decide(request: ReplayRequest): Promise<void> {
    await this.#clock.moveTo(request.at)
    this.#decisions.note(request, this.#family.of(request.id).admit(request.cost))
  }

  async end(): Promise<Pick<ReplayRun, 'decisions' | 'stats' | 'leasedMost'>> {
    await this.#clock.until(this.#vsa.close())
    return { decisions: this.#decisions.tally, stats: this.#vsa.stats(), leasedMost: this.#store.leasedMost }
  }
}
