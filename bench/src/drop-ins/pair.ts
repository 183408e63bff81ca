import { median } from '../measure/median.ts'
import { turn } from '../measure/turn.ts'
import { type Call, callAll } from './calls.ts'

/** A peer in memory, and ours on SQLite. */
export interface Pair {
  readonly name: string
  readonly peer: Call
  readonly ours: Call
}

export interface PairFigures {
  readonly name: string
  /** Decisions per second, medians over the turns. */
  readonly peer: number
  readonly ours: number
  /** Ours divided by the peer's in the same turn, median over the turns. */
  readonly ratio: number
  /** Units that ours has admitted, warm-up included. */
  readonly admitted: number
}

const SLICE_MS = 60
/** The store is slow at first use: leases are small, and code is compiled. */
const WARM_UP_SLICES = 20

/** Both make the same calls in each turn, one after the other, and every other turn in reverse order. */
export async function measurePair(pair: Pair, keys: readonly string[], turns: number): Promise<PairFigures> {
  let admitted = 0
  const speeds: { peer: number[]; ours: number[] } = { peer: [], ours: [] }
  const slice = async (who: 'peer' | 'ours', rounds: number): Promise<number> => {
    await turn()
    const startedAtMs = performance.now()
    const { operations, admittedUnits } = await callAll(pair[who], keys, rounds)
    if (who === 'ours') admitted += admittedUnits
    return (operations / (performance.now() - startedAtMs)) * 1_000
  }
  let rounds = 1
  for (let step = 0; step < WARM_UP_SLICES; step += 1) {
    const perSecond = await slice('peer', rounds)
    rounds = Math.max(1, Math.round((perSecond * SLICE_MS) / 1_000 / keys.length))
    await slice('ours', rounds)
  }
  for (let at = 0; at < turns; at += 1) {
    const order = at % 2 === 0 ? (['peer', 'ours'] as const) : (['ours', 'peer'] as const)
    for (const who of order) speeds[who].push(await slice(who, rounds))
  }
  const ratios = speeds.ours.map((speed, at) => speed / (speeds.peer[at] ?? Number.NaN))
  return { name: pair.name, peer: median(speeds.peer), ours: median(speeds.ours), ratio: median(ratios), admitted }
}
