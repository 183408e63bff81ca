import { CONTENDERS } from '../contenders/catalog.ts'
import type { Contender } from '../contenders/contender.ts'
import { WORKLOADS } from '../workloads/catalog.ts'
import type { Workload } from '../workloads/workload.ts'

/** How long and how often is measured. */
export interface Settings {
  readonly isQuick: boolean
  readonly rounds: number
  /** Of each round. */
  readonly seconds: number
  /** Before the first round, until V8 has compiled. */
  readonly warmUpSeconds: number
  /** Before each round of those that lease: between the rounds they have given their leases back, and these grow from exchange to exchange. */
  readonly leaseSeconds: number
  /** A sale, or a row of cold keys, is stopped after this. */
  readonly wholeSecondsMax: number
  /** Operations under way at once. */
  readonly callers: number
  /** Of the open loop, operations a second. */
  readonly rates: readonly number[]
  readonly openSeconds: number
  /** Of the run in which operations and rows are followed over time. */
  readonly growthSeconds: number
  /** Runs with 1 up to so many processes on one store. */
  readonly processes: number
}

/** One workload, and those that are compared on it. */
export interface Heat {
  readonly workload: Workload
  readonly contenders: readonly Contender[]
}

export interface Plan {
  readonly settings: Settings
  readonly heats: readonly Heat[]
  /** Those whose latency is measured, on the workload {@link LATENCY_WORKLOAD}. */
  readonly latencies: readonly Contender[]
  /** Whose operations and rows are followed over time; null for none. */
  readonly growth: Contender | null
  /** That run in several processes. */
  readonly shared: readonly Contender[]
}

export interface Wish {
  readonly isQuick: boolean
  /** Names of contenders and of workloads, or how they begin. Empty: all. */
  readonly only: readonly string[]
  readonly processes: number
}

export const LATENCY_WORKLOAD = 'article'
export const SHARED_WORKLOAD = 'no-churn'

const FULL = {
  ...{ rounds: 3, seconds: 0.5, warmUpSeconds: 0.6, leaseSeconds: 1, wholeSecondsMax: 5 },
  ...{ rates: [100, 1_000, 10_000, 100_000], openSeconds: 1, growthSeconds: 5 },
}
const QUICK = {
  ...{ rounds: 2, seconds: 0.25, warmUpSeconds: 0.25, leaseSeconds: 0.5, wholeSecondsMax: 1 },
  ...{ rates: [1_000, 10_000], openSeconds: 0.5, growthSeconds: 1 },
}
const CALLERS = 1_024

/** On these all are compared, on the others {@link SOME}: else it would take an hour. */
const MAIN_WORKLOADS = ['article', 'hot-key', 'deny-heavy', 'flash-sale']
const SOME = /^(vsa-leased-(sqlite|postgres|redis)|vsa-durable-postgres|token-bucket-.*|rate-limiter-flexible-redis)$/
const MILLION = /^(vsa-leased-(sqlite|postgres|redis)|token-bucket-.*|map)$/
const QUICK_WORKLOADS = ['article', 'hot-key', 'flash-sale']
const QUICK_CONTENDERS =
  /^(vsa-leased-(sqlite|postgres|redis)|vsa-durable-postgres|token-bucket-.*|rate-limiter-flexible-redis|map)$/
const TIMED = /^(vsa-.*|token-bucket-.*|rate-limiter-flexible-(postgres|redis)|map)$/
const QUICK_TIMED = /^(vsa-|token-bucket-)/
const SHARED = ['vsa-leased-sqlite', 'vsa-leased-postgres', 'token-bucket-sqlite', 'token-bucket-postgres']
const GROWTH = 'vsa-leased-sqlite'

/** @throws RangeError where a wish names nothing that there is */
export function planOf({ isQuick, only, processes }: Wish): Plan {
  for (const name of only)
    if (![...CONTENDERS, ...WORKLOADS].some((one) => one.name.startsWith(name)))
      throw new RangeError(`--only ${name}: there is no contender and no workload whose name begins so`)
  const contenders = wished(CONTENDERS, only)
  const workloads = wished(WORKLOADS, only)
  const isNarrow = contenders !== null || workloads !== null
  const heats = WORKLOADS.filter(
    ({ name }) => workloads?.has(name) ?? (!isQuick || QUICK_WORKLOADS.includes(name)),
  ).map((workload) => ({
    workload,
    contenders: CONTENDERS.filter(
      (contender) => contenders?.has(contender.name) ?? isUsual(contender, workload, isQuick),
    ).filter((contender) => canDo(contender, workload)),
  }))
  const settings = {
    ...(isQuick ? QUICK : FULL),
    ...{ isQuick, callers: CALLERS, processes: isNarrow && processes === 1 ? 0 : processes },
  }
  const measured = heats.find(({ workload }) => workload.name === LATENCY_WORKLOAD)?.contenders ?? []
  return {
    settings,
    heats,
    latencies: measured.filter(({ name }) => (isQuick ? QUICK_TIMED : TIMED).test(name)),
    growth: isNarrow ? null : (CONTENDERS.find(({ name }) => name === GROWTH) ?? null),
    shared: CONTENDERS.filter(
      ({ name, store }) =>
        store !== 'memory' && (contenders?.has(name) ?? (workloads === null && SHARED.includes(name))),
    ),
  }
}

/** The names that are wished for; null where none of this kind is. */
function wished(all: readonly { readonly name: string }[], only: readonly string[]): ReadonlySet<string> | null {
  const names = all.map(({ name }) => name).filter((name) => only.some((wish) => name.startsWith(wish)))
  return names.length === 0 ? null : new Set(names)
}

function isUsual({ name, isPlanted }: Contender, workload: Workload, isQuick: boolean): boolean {
  if (isPlanted === true) return false
  if (isQuick) return QUICK_CONTENDERS.test(name)
  if (MAIN_WORKLOADS.includes(workload.name)) return true
  return (workload.name === 'zipf-million' ? MILLION : SOME).test(name)
}

function canDo({ lacks }: Contender, { churn, cost }: Workload): boolean {
  const isGivenBack = churn !== 'none' || cost.kind === 'reserved'
  return !(isGivenBack && lacks.includes('refunds')) && !(cost.kind !== 'one' && lacks.includes('costs'))
}
