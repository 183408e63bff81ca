import { fileURLToPath } from 'node:url'
import type { Limit, Workload } from './workload.ts'

/** Never spent within a run. */
const AMPLE: Limit = { kind: 'refill', units: 1_000_000_000_000 }
/** Beside the clone: it is read where it is, and is no part of this repository. */
const ACCESS_LOG: string = fileURLToPath(new URL('../../../../shared/data/apache-access.log', import.meta.url))

const PLAIN = { limit: AMPLE, cost: { kind: 'one' }, churn: 'none', ends: 'time' } as const

export const WORKLOADS: readonly Workload[] = [
  {
    ...PLAIN,
    name: 'article',
    title: '128 keys, every second operation gives a unit back',
    keys: { kind: 'uniform', count: 128 },
    churn: 'half',
  },
  { ...PLAIN, name: 'hot-key', title: 'one key', keys: { kind: 'uniform', count: 1 } },
  {
    ...PLAIN,
    name: 'zipf-4096',
    title: '4,096 keys, Zipf with exponent 1',
    keys: { kind: 'zipf', count: 4_096, exponent: 1 },
  },
  {
    ...PLAIN,
    name: 'zipf-million',
    title: 'a million keys, Zipf with exponent 1',
    keys: { kind: 'zipf', count: 1_000_000, exponent: 1 },
  },
  { ...PLAIN, name: 'no-churn', title: '128 keys, nothing is given back', keys: { kind: 'uniform', count: 128 } },
  {
    ...PLAIN,
    name: 'churn-to-zero',
    title: '128 keys, each unit is given back at once',
    keys: { kind: 'uniform', count: 128 },
    churn: 'at-once',
  },
  {
    ...PLAIN,
    name: 'mixed-costs',
    title: '128 keys, 1 to 100 units each time',
    keys: { kind: 'uniform', count: 128 },
    cost: { kind: 'between', low: 1, high: 100 },
  },
  {
    ...PLAIN,
    name: 'deny-heavy',
    title: '256 keys, of which half are exhausted and get 90 % of the operations',
    keys: { kind: 'scarce', count: 256, scarceShare: 0.9, scarceUnits: 10 },
  },
  {
    ...PLAIN,
    name: 'cold-keys',
    title: 'each key once',
    keys: { kind: 'each-once', count: 100_000 },
    ends: 'each-once',
  },
  {
    ...PLAIN,
    name: 'access-log',
    title: 'the addresses of 10,000 requests to a web server, again and again',
    keys: { kind: 'log', path: ACCESS_LOG },
  },
  {
    ...PLAIN,
    name: 'flash-sale',
    title: '20,000 pieces of one article, 4,096 callers, until it is sold out or for 5 s',
    keys: { kind: 'uniform', count: 1 },
    limit: { kind: 'stock', units: 20_000 },
    ends: 'sold-out',
  },
  {
    ...PLAIN,
    name: 'model-calls',
    title: '128 keys; 1,000 to 8,000 tokens are reserved, metered in 4 parts, and settled for 10 % to 90 %',
    keys: { kind: 'uniform', count: 128 },
    cost: { kind: 'reserved', low: 1_000, high: 8_000 },
  },
]

/** @throws RangeError for a name that is not there */
export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name)
  if (found === undefined)
    throw new RangeError(`no workload ${name}; there are ${WORKLOADS.map((one) => one.name).join(', ')}`)
  return found
}
