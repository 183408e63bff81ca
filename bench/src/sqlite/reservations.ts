import { join } from 'node:path'
import { open, type Budget } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { callInLoops } from '../measure/callers.ts'
import { median } from '../measure/median.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import { BareReservations } from './bare-reservations.ts'
import { DRIVER } from './hand-written.ts'

const MINTED = 1_000_000_000_000
const CALLERS = 1_024
/** Longer than the benchmark. */
const TTL_MS = 86_400_000

export interface Reservations {
  readonly callers: number
  readonly seconds: number
  /** Durable admissions of one unit. Equal ones share one record. */
  readonly admissionsPerSecond: number
  /** Admissions with an id: each is a record of its own. */
  readonly withIdPerSecond: number
  /** Reserve with an id, then settle: two answers of the store each. */
  readonly pairsPerSecond: number
  /** Median of the ratios of each round to the admissions of the same round. */
  readonly withIdRatio: number
  readonly pairRatio: number
  /** The same rows without VSA, by a loop of prepared statements. */
  readonly barePairsPerSecond: number
  /** Median of the ratios of each round to that loop in the same round. */
  readonly pairBareRatio: number
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

type Ask = () => Promise<boolean>

/** Admissions, admissions with an id, reservations that are settled at once, and the rows of those alone: in turns, with the same callers on one budget. */
export async function reservations(folder: string, seconds: number, rounds: number): Promise<Reservations> {
  const path = join(folder, 'reservations.db')
  const vsa = open({ store: sqlite(path, { driver: DRIVER }) })
  const lanes = asksOf(vsa.budget('hot', { initial: MINTED }))
  const bare = new BareReservations(join(folder, 'bare-reservations.db'))
  const speeds: number[][] = lanes.map(() => [])
  const bareSpeeds: number[] = []
  let admitted = 0
  for (let round = 0; round <= rounds; round += 1) {
    for (const [lane, ask] of lanes.entries()) {
      const called = await callInLoops(ask, CALLERS, seconds)
      admitted += called.count
      // The first round warms up.
      if (round > 0) speeds[lane]?.push(called.count / called.seconds)
    }
    const looped = bare.run(seconds)
    if (round > 0) bareSpeeds.push(looped.count / looped.seconds)
  }
  await vsa.close()
  bare.close()
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  const [plain = [], withId = [], pairs = []] = speeds
  const ratioOf = (lane: readonly number[], to = plain): number =>
    median(lane.map((speed, at) => speed / (to[at] ?? Number.NaN)))
  return {
    callers: CALLERS,
    seconds,
    admissionsPerSecond: median(plain),
    withIdPerSecond: median(withId),
    pairsPerSecond: median(pairs),
    withIdRatio: ratioOf(withId),
    pairRatio: ratioOf(pairs),
    barePairsPerSecond: median(bareSpeeds),
    pairBareRatio: ratioOf(pairs, bareSpeeds),
    admitted,
    used: totals.used,
    balanced: isBalanced(totals, admitted),
  }
}

/** Each spends one unit. */
function asksOf(budget: Budget): readonly Ask[] {
  let made = 0
  const newId = (): string => `request-${(made += 1)}`
  return [
    () => budget.admit(),
    () => budget.admit(1, { id: newId() }),
    async () => {
      const reservation = await budget.reserve(2, { id: newId(), ttlMs: TTL_MS, onExpire: 'return' })
      return reservation !== null && (await reservation.settle(1)).settled === 1
    },
  ]
}
