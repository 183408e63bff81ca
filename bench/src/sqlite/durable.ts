import { join } from 'node:path'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { median } from '../measure/median.ts'
import { turn } from '../measure/turn.ts'
import { callByHand, callInLoops, type Done } from '../measure/callers.ts'
import { DRIVER, HandWritten } from './hand-written.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'

const MINTED = 1_000_000_000_000
/** Hand-written updates between two turns of the event loop. */
const UPDATES_PER_TURN = 64

export interface CallersFigure {
  readonly callers: number
  readonly admissionsPerSecond: number
  readonly admissionsPerExchange: number
  /** The same callers without VSA, awaiting promises that are resolved by hand. */
  readonly awaitsPerSecond: number
  /** Speed divided by that of the hand-written UPDATE. */
  readonly ratio: number
}

export interface Durable {
  readonly seconds: number
  readonly handWrittenPerSecond: number
  readonly callers: readonly CallersFigure[]
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

/** Durable admissions on one budget: by hand, then with each number of `callers`, in turns on the same disk. */
export async function durable(
  folder: string,
  callers: readonly number[],
  seconds: number,
  rounds: number,
): Promise<Durable> {
  const path = join(folder, 'durable.db')
  const vsa = open({ store: sqlite(path, { driver: DRIVER }) })
  const budget = vsa.budget('hot', { initial: MINTED })
  const hand = new HandWritten(join(folder, 'hand-written.db'), MINTED)
  const byHand: number[] = []
  const lanes = callers.map((count) => ({
    count,
    speeds: [] as number[],
    perExchange: [] as number[],
    awaits: [] as number[],
  }))
  let updated = 0
  let admitted = 0
  for (let round = 0; round <= rounds; round += 1) {
    const written = await writeByHand(hand, seconds)
    updated += written.count
    if (round > 0) byHand.push(written.count / written.seconds)
    for (const lane of lanes) {
      const exchangesBefore = vsa.stats().exchanges
      const called = await callInLoops(() => budget.admit(), lane.count, seconds)
      admitted += called.count
      const exchanges = vsa.stats().exchanges - exchangesBefore
      const bare = await callByHand(lane.count, seconds / 4)
      // The first round warms up.
      if (round === 0) continue
      lane.speeds.push(called.count / called.seconds)
      lane.perExchange.push(called.count / exchanges)
      lane.awaits.push(bare.count / bare.seconds)
    }
  }
  await vsa.close()
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  const isHandCountRight = hand.used() === updated
  hand.close()
  const handWrittenPerSecond = median(byHand)
  return {
    seconds,
    handWrittenPerSecond,
    callers: lanes.map(({ count, speeds, perExchange, awaits }) => ({
      callers: count,
      admissionsPerSecond: median(speeds),
      admissionsPerExchange: median(perExchange),
      awaitsPerSecond: median(awaits),
      ratio: median(speeds) / handWrittenPerSecond,
    })),
    admitted,
    used: totals.used,
    balanced: isBalanced(totals, admitted) && isHandCountRight,
  }
}

async function writeByHand(hand: HandWritten, seconds: number): Promise<Done> {
  const startedAtMs = performance.now()
  let count = 0
  while (performance.now() - startedAtMs < seconds * 1_000) {
    for (let update = 0; update < UPDATES_PER_TURN; update += 1) if (hand.admit()) count += 1
    await turn()
  }
  return { count, seconds: (performance.now() - startedAtMs) / 1_000 }
}
