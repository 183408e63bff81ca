import { build, type Histogram } from 'hdr-histogram-js'
import type { Trace } from '../workloads/trace.ts'
import type { Steps } from './steps.ts'

const NS_PER_MS = 1e6
const NS_PER_US = 1e3
/** Beyond this many unanswered operations the rate is not kept up with, and no more are begun. */
const UNDER_WAY_MAX = 20_000
const MINUTE_NS = 60 * 1e9
/** Of the curves. */
const SHARES = [50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100]

export interface Latency {
  /** Asked for, and begun and answered, operations a second. */
  readonly offeredPerSecond: number
  readonly answeredPerSecond: number
  /** Whether the rate was kept up with: at least 95 % of it was answered in time. */
  readonly isKeptUp: boolean
  /** From the moment at which an operation was due until it was answered, us. What delays the next ones is in their times. */
  readonly fromDueUs: Percentiles
  /** From its call, us. */
  readonly fromCallUs: Percentiles
}

export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Pairs of a percentile and us. */
  readonly curve: readonly (readonly [percentile: number, us: number])[]
}

/**
 * Begins operations at a fixed rate, whether those before are answered or not. It spins between them, with a turn of the event loop each time, because
 * timers are a thousand times too coarse.
 * @param begin of the trace @returns also the next position
 */
export async function openLoop(
  steps: Steps,
  trace: Trace,
  begin: number,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<{ readonly latency: Latency; readonly cursor: number }> {
  const [fromDue, fromCall] = [histogram(), histogram()]
  const startedAtMs = performance.now()
  const endsAtMs = startedAtMs + seconds * 1_000
  let [cursor, begun, underWay] = [begin, 0, 0]
  let [answered, lastAnswerAtMs] = [0, startedAtMs]
  let failure: Error | undefined
  const answer = (dueAtMs: number, calledAtMs: number): void => {
    lastAnswerAtMs = performance.now()
    answered += 1
    record(fromDue, lastAnswerAtMs - dueAtMs)
    record(fromCall, lastAnswerAtMs - calledAtMs)
  }
  const beginOne = (dueAtMs: number): void => {
    const calledAtMs = performance.now()
    const { next, later } = steps(cursor, cursor + 1)
    cursor = next === trace.length ? 0 : next
    if (later === undefined) return answer(dueAtMs, calledAtMs)
    underWay += 1
    later.then(
      () => {
        underWay -= 1
        answer(dueAtMs, calledAtMs)
      },
      (error: unknown) => (failure ??= error instanceof Error ? error : new Error(String(error))),
    )
  }
  const dueOf = (number: number): number => startedAtMs + (number * 1_000) / rate
  while (performance.now() < endsAtMs && failure === undefined && underWay < UNDER_WAY_MAX) {
    const nowMs = performance.now()
    for (; dueOf(begun) <= nowMs && underWay < UNDER_WAY_MAX; begun += 1) beginOne(dueOf(begun))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const isFlooded = underWay >= UNDER_WAY_MAX
  while (underWay > 0 && failure === undefined) await new Promise((resolve) => setImmediate(resolve))
  if (failure !== undefined) throw failure
  const answeredPerSecond = (answered * 1_000) / (Math.max(lastAnswerAtMs, endsAtMs) - startedAtMs)
  return {
    cursor,
    latency: {
      offeredPerSecond: rate,
      answeredPerSecond,
      isKeptUp: !isFlooded && answeredPerSecond >= 0.95 * rate,
      fromDueUs: percentilesOf(fromDue),
      fromCallUs: percentilesOf(fromCall),
    },
  }
}

function histogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: MINUTE_NS, numberOfSignificantValueDigits: 3 })
}

function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.min(MINUTE_NS, Math.max(1, Math.round(ms * NS_PER_MS))))
}

function percentilesOf(histogram: Histogram): Percentiles {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / NS_PER_US
  return { p50: at(50), p99: at(99), p999: at(99.9), curve: SHARES.map((share) => [share, at(share)] as const) }
}
