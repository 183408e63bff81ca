import type { Workload } from '../workloads/workload.ts'
import { workloadNamed } from '../workloads/catalog.ts'

/** One line of the baseline: a workload, how strong its admissions are, and how many operations are counted. */
export interface CountCase {
  /** Unique. */
  readonly name: string
  readonly workload: Workload
  readonly strength: Strength
  readonly operations: number
}

/** `leased`: as the policy says by default. `durable`: `atRisk: 0`; what is reserved has an id, and is kept by the store. */
export type Strength = 'leased' | 'durable'

/** All of them together take a few seconds of `npm test`. Where one operation writes several rows, fewer of them show as much in less time. */
export const COUNT_CASES: readonly CountCase[] = [
  counted('article', 'leased', 40_000),
  counted('hot-key', 'leased', 100_000),
  counted('zipf-4096', 'leased', 5_000),
  counted('zipf-million', 'leased', 1_000),
  counted('no-churn', 'leased', 50_000),
  counted('churn-to-zero', 'leased', 50_000),
  counted('mixed-costs', 'leased', 50_000),
  counted('deny-heavy', 'leased', 20_000),
  counted('cold-keys', 'leased', 1_000),
  counted('access-log', 'leased', 2_000),
  counted('model-calls', 'leased', 20_000),
  counted('hot-key', 'durable', 20_000),
  counted('cold-keys', 'durable', 1_000),
  counted('flash-sale', 'durable', 24_000),
  counted('model-calls', 'durable', 400),
]

function counted(name: string, strength: Strength, operations: number): CountCase {
  return { name: `${name}, ${strength}`, workload: workloadNamed(name), strength, operations }
}
