import { REFUND, type Trace } from './trace.ts'

export type Operation =
  | { readonly kind: 'admit' | 'refund'; readonly key: string; readonly units: number }
  | { readonly kind: 'reserve'; readonly key: string; readonly units: number; readonly settled: number }

/** The operations of a trace one by one, for those who do not count nanoseconds. */
export function* operationsOf(trace: Trace): Generator<Operation, void> {
  const isReserved = trace.workload.cost.kind === 'reserved'
  for (let at = 0; at < trace.length; at += 1) {
    const key = trace.names[trace.keys[at] ?? 0] ?? ''
    const units = trace.units[at] ?? 0
    if (trace.kinds[at] === REFUND) yield { kind: 'refund', key, units }
    else if (isReserved) yield { kind: 'reserve', key, units, settled: trace.settled[at] ?? 0 }
    else yield { kind: 'admit', key, units }
  }
}
