import { open } from 'vsa'
import { median } from '../measure/median.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import type { BenchServer } from './bench-server.ts'

/** Longer than a round, so that only the measured flush sends anything. */
const FLUSH_INTERVAL_MS = 600_000
/** Rounds until every lease has grown to `atRisk`: from then on one row is written for each budget. */
const WARM_UP_ROUNDS_MIN = 6
/** Until the code of all of them is compiled, which takes thousands of exchanges. */
const WARM_UP_MS = 4_000
const POLICY = { limit: 1_000_000_000, per: 'month', atRisk: 100 } as const

export interface FlushOfSize {
  readonly budgets: number
  readonly fastPathMs: number
  readonly generalPathMs: number
  /** The same number of additions by hand, in one statement or pipeline. */
  readonly baselineMs: number
  readonly balanced: boolean
}

/** Flushes of that many changed budgets on each path, in turns with as many additions by hand. */
export async function flush(server: BenchServer, budgets: number, rounds: number): Promise<FlushOfSize> {
  const lanes = await Promise.all([true, false].map((fastPath) => Lane.begin(server, budgets, fastPath)))
  const baseline = server.baseline(budgets)
  await baseline.begin()
  const baselineMs: number[] = []
  const isWarmAtMs = performance.now() + WARM_UP_MS
  let warmUpRounds = 0
  while (baselineMs.length < rounds) {
    const isWarm = warmUpRounds >= WARM_UP_ROUNDS_MIN && performance.now() >= isWarmAtMs
    const ms = await timed(() => baseline.run())
    for (const lane of lanes) await lane.run(isWarm)
    if (isWarm) baselineMs.push(ms)
    else warmUpRounds += 1
  }
  const balanced = await Promise.all(lanes.map((lane) => lane.end()))
  const [fast, general] = lanes.map((lane) => median(lane.ms))
  return {
    budgets,
    fastPathMs: fast ?? Number.NaN,
    generalPathMs: general ?? Number.NaN,
    baselineMs: median(baselineMs),
    balanced: balanced.every(Boolean) && (await baseline.used()) === budgets * (rounds + warmUpRounds),
  }
}

class Lane {
  readonly ms: number[] = []
  readonly #server: BenchServer
  readonly #name: string
  readonly #vsa: ReturnType<typeof open>
  readonly #handles: readonly { tryAdmit(): boolean; admit(): Promise<boolean> }[]
  #admitted = 0

  private constructor(server: BenchServer, budgets: number, fastPath: boolean) {
    this.#server = server
    this.#name = `flush_${budgets}_${fastPath ? 'fast' : 'general'}`
    const store = server.client.store(this.#name, fastPath)
    this.#vsa = open({ store, flushIntervalMs: FLUSH_INTERVAL_MS })
    const family = this.#vsa.budgets('tenants', POLICY)
    this.#handles = Array.from({ length: budgets }, (_, index) => family.of(String(index)))
  }

  static async begin(server: BenchServer, budgets: number, fastPath: boolean): Promise<Lane> {
    const lane = new Lane(server, budgets, fastPath)
    lane.#admitted = (await Promise.all(lane.#handles.map((handle) => handle.admit()))).filter(Boolean).length
    await lane.#vsa.flush()
    return lane
  }

  async run(isMeasured: boolean): Promise<void> {
    for (const handle of this.#handles) if (handle.tryAdmit()) this.#admitted += 1
    const ms = await timed(() => this.#vsa.flush())
    if (isMeasured) this.ms.push(ms)
  }

  /** @returns whether the books balance */
  async end(): Promise<boolean> {
    await this.#vsa.close()
    return isBalanced(await totalsOf(this.#server.client.store(this.#name)), this.#admitted)
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}
