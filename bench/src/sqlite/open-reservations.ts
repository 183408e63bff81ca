import { statSync } from 'node:fs'
import { join } from 'node:path'
import { open, type Family, type Reservation } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { processorWaitMs } from '../measure/processor-wait.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import { DRIVER } from './hand-written.ts'

const BUDGETS = 1_000
/** Reservations made by one exchange. */
const CHUNK = 1_000
const DEADLINE_MS = 600_000
const TTL_MS = 2_700_000
/** All are due by then. Less than the hour from which on a clock that goes ahead is one that leaps, after which nothing ends for a while. */
const LATER_MS = 3_000_000
/** Longer than that. */
const LEASE_TTL_MS = 86_400_000
const UNITS = 3

export interface OpenReservations {
  readonly reservations: number
  readonly budgets: number
  /** Heap of the process for each, where the user keeps no handle. */
  readonly bytesEach: number
  /** Where the user keeps every handle. */
  readonly bytesEachKept: number
  readonly madePerSecond: number
  /** Of the file, with its write-ahead log. */
  readonly fileBytesEach: number
  /** When all are due: calls of upkeep, one after the other. */
  readonly endedPerSecond: number
  readonly upkeepCalls: number
  /** The longest call of upkeep: what an exchange that precedes it waits. */
  readonly longestUpkeepMs: number
  readonly p99UpkeepMs: number
  /** The same without the time in which other programs had the processor. */
  readonly p50OwnMs: number
  readonly p99OwnMs: number
  readonly longestOwnMs: number
  /** Units that stay reserved or spent afterwards. Must be 0. */
  readonly left: number
  readonly balanced: boolean
}

/** Half of them are made without keeping a handle, half with; then all of them end at once. @param collect collects garbage */
export async function openReservations(folder: string, count: number, collect: () => void): Promise<OpenReservations> {
  const path = join(folder, 'open-reservations.db')
  const made = await make(path, count, collect)
  const fileBytesEach = (statSync(path).size + walSize(path)) / count
  const ended = await end(path)
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  return {
    reservations: count,
    budgets: BUDGETS,
    ...made,
    fileBytesEach,
    endedPerSecond: count / ended.seconds,
    upkeepCalls: ended.calls.length,
    longestUpkeepMs: quantile(ended.calls, 1),
    p99UpkeepMs: quantile(ended.calls, 0.99),
    p50OwnMs: quantile(ended.own, 0.5),
    p99OwnMs: quantile(ended.own, 0.99),
    longestOwnMs: quantile(ended.own, 1),
    left: totals.reserved + totals.used,
    balanced: isBalanced(totals, 0),
  }
}

type Made = Pick<OpenReservations, 'bytesEach' | 'bytesEachKept' | 'madePerSecond'>

async function make(path: string, count: number, collect: () => void): Promise<Made> {
  const vsa = open({ store: sqlite(path, { driver: DRIVER, leaseTtlMs: LEASE_TTL_MS }), deadlineMs: DEADLINE_MS })
  const family = vsa.budgets('user', { initial: UNITS * count })
  const half = Math.floor(count / 2)
  // Every budget is known before memory is measured.
  await Promise.all(Array.from({ length: BUDGETS }, (_, at) => family.of(String(at)).admit(0)))
  const startedAtMs = performance.now()
  const before = heapUsed(collect)
  await reserveAll(family, 0, half)
  const bytesEach = (heapUsed(collect) - before) / half
  const kept: (Reservation | null)[] = []
  const beforeKept = heapUsed(collect)
  await reserveAll(family, half, count, kept)
  const bytesEachKept = (heapUsed(collect) - beforeKept) / (count - half)
  const seconds = (performance.now() - startedAtMs) / 1_000
  if (kept.includes(null)) throw new Error('a reservation was refused')
  await vsa.close({ deadlineMs: DEADLINE_MS })
  return { bytesEach, bytesEachKept, madePerSecond: count / seconds }
}

async function reserveAll(family: Family, from: number, to: number, kept?: (Reservation | null)[]): Promise<void> {
  for (let at = from; at < to; at += CHUNK) {
    const made = await Promise.all(
      Array.from({ length: Math.min(CHUNK, to - at) }, (_, offset) =>
        family
          .of(String((at + offset) % BUDGETS))
          .reserve(UNITS, { id: `request-${1_000_000_000 + at + offset}`, ttlMs: TTL_MS, onExpire: 'return' }),
      ),
    )
    kept?.push(...made)
  }
}

interface Ended {
  readonly seconds: number
  /** What each call took, in ms, ascending. */
  readonly calls: readonly number[]
  /** Without waits for a processor, ascending. */
  readonly own: readonly number[]
}

/** On this thread, so that a call takes what an exchange behind it would wait. */
async function end(path: string): Promise<Ended> {
  const now = (): number => Date.now() + LATER_MS
  const store = sqlite(path, { driver: DRIVER, thread: false, leaseTtlMs: LEASE_TTL_MS, now })
  const startedAtMs = performance.now()
  const { epoch, token } = await store.join('bench')
  const [calls, own]: [number[], number[]] = [[], []]
  for (let dueInMs: number | null | undefined = 0; dueInMs === 0;) {
    const [calledAtMs, waitedMs] = [performance.now(), processorWaitMs()]
    dueInMs = await store.upkeep?.({ epoch, token, seq: 0 })
    const tookMs = performance.now() - calledAtMs
    calls.push(tookMs)
    own.push(tookMs - (processorWaitMs() - waitedMs))
  }
  const seconds = (performance.now() - startedAtMs) / 1_000
  await store.close()
  return { seconds, calls: ascending(calls), own: ascending(own) }
}

function ascending(values: readonly number[]): readonly number[] {
  return values.toSorted((a, b) => a - b)
}

/** @param sorted ascending */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
}

function walSize(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
}

function heapUsed(collect: () => void): number {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}
