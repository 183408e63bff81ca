import { machine, type Machine } from '../report/machine.ts'
import { crashLoss, type CrashLoss } from './crash-loss.ts'
import { gateTimes, type GateTime } from './gate-time.ts'
import { costOf, type Load, type LoadCost } from './offered-load.ts'
import { underUse, type Skew, type UnderUse } from './under-use.ts'

/** Cost against size, one size for each part. All but `gate` is exact, and the same on every machine. */
export interface Scale {
  readonly gate: { readonly machine: Machine; readonly times: readonly GateTime[] }
  readonly operations: readonly LoadCost[]
  readonly keys: readonly LoadCost[]
  readonly keysDurable: readonly LoadCost[]
  readonly owners: readonly LoadCost[]
  readonly flushInterval: readonly LoadCost[]
  readonly atRisk: readonly CrashLoss[]
  readonly underUse: readonly UnderUse[]
}

export type ScalePart = keyof Scale

export interface Sizes {
  readonly operations: readonly number[]
  readonly keys: readonly number[]
  readonly keysDurable: readonly number[]
  readonly owners: readonly number[]
  readonly flushIntervalsMs: readonly number[]
  readonly atRisk: readonly number[]
  readonly crashes: number
  readonly underUse: readonly (readonly [owners: number, atRisk: number, skew: Skew])[]
}

export const FULL: Sizes = {
  operations: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
  keys: [1, 10, 100, 1e3, 1e4, 1e5, 1e6],
  keysDurable: [1, 10, 100, 1e3, 1e4, 1e5],
  owners: [1, 2, 4, 8, 16],
  flushIntervalsMs: [10, 30, 100, 300, 1_000, 3_000, 10_000],
  atRisk: [0, 1, 10, 100, 300, 1e3, 3e3, 1e4, 1e5],
  crashes: 20,
  underUse: (['one-hot', 'moving'] as const).flatMap((skew) =>
    [100, 2_500].flatMap((atRisk) => [2, 4, 8, 16].map((owners) => [owners, atRisk, skew] as const)),
  ),
}

/** 100,000 operations/s. */
const LOAD: Load = {
  operations: 1_000_000,
  keys: 128,
  owners: 1,
  durationMs: 10_000,
  flushIntervalMs: 100,
  strength: 'leased',
}

/** At the same rate: each key at least once, and all of it for at least a second. */
function loadOver(keys: number): Load {
  const operations = Math.max(100_000, keys)
  return { ...LOAD, keys, operations, durationMs: operations / 100 }
}

/** How each part is measured. @param done called after each point with what it was */
export function scaleParts(
  sizes: Sizes,
  done: (what: string) => void,
): { readonly [Part in ScalePart]: () => Promise<Scale[Part]> } {
  const swept = async <S, T>(what: string, over: readonly S[], measure: (size: S) => Promise<T>): Promise<T[]> => {
    const all: T[] = []
    for (const size of over) {
      all.push(await measure(size))
      done(`${what} ${String(size)}`)
    }
    return all
  }
  const loads = (what: string, over: readonly number[], load: (size: number) => Load): Promise<LoadCost[]> =>
    swept(what, over, (size) => costOf(load(size)))
  return {
    gate: async () => ({ machine: machine(), times: await gateTimes(sizes.operations) }),
    operations: () => loads('operations', sizes.operations, (operations) => ({ ...LOAD, operations })),
    keys: () => loads('keys', sizes.keys, loadOver),
    keysDurable: () => loads('durable keys', sizes.keysDurable, (keys) => ({ ...loadOver(keys), strength: 'durable' })),
    owners: () => loads('owners', sizes.owners, (owners) => ({ ...LOAD, owners })),
    flushInterval: () =>
      loads('ms between flushes', sizes.flushIntervalsMs, (flushIntervalMs) => ({
        ...LOAD,
        durationMs: 30_000,
        flushIntervalMs,
      })),
    atRisk: () => swept('at risk', sizes.atRisk, (atRisk) => crashLoss(atRisk, sizes.crashes)),
    underUse: () =>
      swept('owners, at risk', sizes.underUse, ([owners, atRisk, skew]) => underUse(owners, atRisk, skew)),
  }
}

/** Whether the books of every load said what its callers were told, and no unit was left over. */
export function isScaleBalanced({ operations, keys, keysDurable, owners, flushInterval, underUse }: Scale): boolean {
  const loads = [operations, keys, keysDurable, owners, flushInterval].flat()
  return loads.every(({ balanced }) => balanced) && underUse.every(({ left }) => left === 0)
}
