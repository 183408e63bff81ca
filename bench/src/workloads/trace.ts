import { seededRandom } from 'vsa/testing'
import { keyOrder } from './key-order.ts'
import type { Cost, Workload } from './workload.ts'

/** What `Trace.kinds` holds. */
export const ADMIT = 0
export const REFUND = 1

/** The operations of a workload, in columns, so that a loop over them allocates nothing. The same for every contender. */
export interface Trace {
  readonly workload: Workload
  readonly length: number
  /** The names of the keys. */
  readonly names: readonly string[]
  /** Of each operation: the index of its key. */
  readonly keys: Uint32Array
  /** Of each operation: `ADMIT` or `REFUND`. A refund gives back what an earlier operation took, so the trace can be repeated. */
  readonly kinds: Uint8Array
  /** Of each operation: units asked for, given back, or, where costs are reserved, reserved. */
  readonly units: Uint32Array
  /** Of each operation: the units that it is settled for. Differs from `units` only where costs are reserved. */
  readonly settled: Uint32Array
}

const LENGTH = 262_144

/** @param length operations. Default: as many as there are keys, where each is used once; else that many, and at least 262,144 */
export function traceOf(workload: Workload, length: number = lengthOf(workload), seed = 1): Trace {
  const random = seededRandom(seed)
  const { names, order } = keyOrder(workload.keys, length, random)
  const kinds = new Uint8Array(length)
  const units = new Uint32Array(length)
  const settled = new Uint32Array(length)
  const outstanding = workload.churn === 'none' ? [] : names.map((): number[] => [])
  for (let at = 0; at < length; at += 1) {
    if (workload.churn === 'at-once' && at % 2 === 1) order[at] = order[at - 1] ?? 0
    const taken = outstanding[order[at] ?? 0]
    const isRefund = taken !== undefined && taken.length > 0 && (workload.churn === 'at-once' || random() < 0.5)
    const asked = isRefund ? (taken.pop() ?? 0) : costOf(workload.cost, random)
    if (!isRefund) taken?.push(asked)
    kinds[at] = isRefund ? REFUND : ADMIT
    units[at] = asked
    settled[at] = workload.cost.kind === 'reserved' ? Math.ceil(asked * (0.1 + 0.8 * random())) : asked
  }
  return { workload, length, names, keys: order, kinds, units, settled }
}

/** The limit of the key with this index. */
export function limitOf({ workload, names }: Trace, index: number): number {
  return limitIn(workload, index, names.length)
}

/** The same, where there is no trace. */
export function limitIn({ keys, limit }: Workload, index: number, count: number): number {
  return keys.kind === 'scarce' && index < count / 2 ? keys.scarceUnits : limit.units
}

function lengthOf({ keys }: Workload): number {
  if (keys.kind === 'each-once') return keys.count
  return keys.kind === 'log' ? LENGTH : Math.max(LENGTH, keys.count)
}

function costOf(cost: Cost, random: () => number): number {
  return cost.kind === 'one' ? 1 : cost.low + Math.floor(random() * (cost.high - cost.low + 1))
}
