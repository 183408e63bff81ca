import { monitorEventLoopDelay } from 'node:perf_hooks'
import { join } from 'node:path'
import { open, type Budget, type Vsa } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { makeCells, type Cell } from '../gate/cell.ts'
import { median } from '../measure/median.ts'
import { turn } from '../measure/turn.ts'
import { DRIVER } from './hand-written.ts'
import { isBalanced, totalsOf } from '../measure/totals.ts'
import { watched, type Traffic } from './watched-store.ts'

const KEYS = 128
const LIMIT = 1_000_000_000_000
const FLUSH_INTERVAL_MS = 100
/** Leases have reached their size after this. */
const WARM_MS = 1_500
/** Work between two turns of the event loop. The same for both loops, because their event-loop delays are compared. */
const SLICE_MS = 1
/** Rounds over all keys between two readings of the clock: tens of microseconds. */
const ROUNDS = 100
const NS_PER_MS = 1e6

/** The result of one stretch of looping. */
interface Stretch {
  readonly seconds: number
  readonly asked: number
  readonly admitted: number
  readonly delayP99Ms: number
}

export interface FullSpeed {
  readonly keys: number
  readonly seconds: number
  readonly decisionsPerSecond: number
  readonly bareDecisionsPerSecond: number
  readonly exchangesPerSecond: number
  readonly decisionsPerExchange: number
  /** Budget rows written. Must equal `changedRows`, the rows that the exchanges had to change. */
  readonly records: number
  readonly changedRows: number
  readonly leaseRecords: number
  /** Share of `tryAdmit` calls that returned true, once warm. */
  readonly admittedShare: number
  readonly delayP99Ms: number
  readonly bareDelayP99Ms: number
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

/** Runs `rounds` times the loop without VSA for `seconds`, then the loop with VSA on a new file. */
export async function fullSpeed(folder: string, seconds: number, rounds: number): Promise<FullSpeed> {
  const cells = makeCells(KEYS)
  const bare: Stretch[] = []
  const runs: VsaRun[] = []
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await stretch(() => spendFrom(cells), seconds))
    runs.push(await withVsa(join(folder, `full-speed-${round}.db`), seconds))
  }
  const total = (of: (run: VsaRun) => number): number => runs.reduce((sum, run) => sum + of(run), 0)
  const warm = runs.map((run) => run.warm)
  return {
    keys: KEYS,
    seconds,
    decisionsPerSecond: median(warm.map((one) => one.asked / one.seconds)),
    bareDecisionsPerSecond: median(bare.map((one) => one.asked / one.seconds)),
    exchangesPerSecond: median(runs.map((run) => run.exchanges / run.warm.seconds)),
    decisionsPerExchange: median(runs.map((run) => run.warm.asked / run.exchanges)),
    records: total((run) => run.records),
    changedRows: total((run) => run.traffic.changedRows),
    leaseRecords: total((run) => run.leaseRecords),
    admittedShare: total((run) => run.warm.admitted) / total((run) => run.warm.asked),
    delayP99Ms: median(warm.map((one) => one.delayP99Ms)),
    bareDelayP99Ms: median(bare.map((one) => one.delayP99Ms)),
    admitted: total((run) => run.admitted),
    used: total((run) => run.used),
    balanced: runs.every((run) => run.balanced),
  }
}

interface VsaRun {
  readonly warm: Stretch
  /** In the warm stretch. */
  readonly exchanges: number
  /** In the whole run. */
  readonly records: number
  readonly leaseRecords: number
  readonly traffic: Traffic
  readonly admitted: number
  readonly used: number
  readonly balanced: boolean
}

async function withVsa(path: string, seconds: number): Promise<VsaRun> {
  const { store, traffic } = watched(sqlite(path, { driver: DRIVER }))
  const vsa = open({ store, flushIntervalMs: FLUSH_INTERVAL_MS })
  const budgets = await loaded(vsa)
  const warming = await stretch(() => admitFrom(budgets), WARM_MS / 1_000)
  const before = traffic.exchanges
  const warm = await stretch(() => admitFrom(budgets), seconds)
  const exchanges = traffic.exchanges - before
  await vsa.close()
  const { records, leaseRecords } = vsa.stats()
  const admitted = budgets.length + warming.admitted + warm.admitted
  const totals = await totalsOf(sqlite(path, { driver: DRIVER }))
  const balanced = isBalanced(totals, admitted) && records === traffic.changedRows
  return { warm, exchanges, records, leaseRecords, traffic, admitted, used: totals.used, balanced }
}

async function loaded(vsa: Vsa): Promise<readonly Budget[]> {
  const family = vsa.budgets('speed', { limit: LIMIT, per: 'year' })
  const budgets = Array.from({ length: KEYS }, (_, index) => family.of(`tenant-${index}`))
  const admitted = await Promise.all(budgets.map((budget) => budget.admit()))
  if (admitted.includes(false)) throw new Error('a budget could not be loaded')
  return budgets
}

/** Slices of work with a turn of the event loop between them, as in a server under full load. */
async function stretch(admit: () => number, seconds: number): Promise<Stretch> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const startedAtMs = performance.now()
  let asked = 0
  let admitted = 0
  while (performance.now() - startedAtMs < seconds * 1_000) {
    const sliceEndsAtMs = performance.now() + SLICE_MS
    while (performance.now() < sliceEndsAtMs) {
      admitted += admit()
      asked += ROUNDS * KEYS
    }
    await turn()
  }
  delay.disable()
  const tookSeconds = (performance.now() - startedAtMs) / 1_000
  return { seconds: tookSeconds, asked, admitted, delayP99Ms: delay.percentile(99) / NS_PER_MS }
}

function admitFrom(budgets: readonly Budget[]): number {
  let count = 0
  for (let round = 0; round < ROUNDS; round += 1) for (const budget of budgets) if (budget.tryAdmit()) count += 1
  return count
}

/** The same loop without VSA. A spent cell is refilled. */
function spendFrom(cells: readonly Cell[]): number {
  let count = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const cell of cells) {
      const left = cell.left - 1
      cell.left = left >= 0 ? left : LIMIT
      count += 1
    }
  }
  return count
}
