/** How far one search goes: what there is, what callers may ask, and what the network may do. Everything within is tried. */
export interface Bounds {
  /** Words with hyphens. */
  readonly name: string
  readonly what: string
  readonly rows: readonly RowBounds[]
  /** Units that a caller may ask from the lease, on any row. */
  readonly costs: readonly number[]
  /** What a durable request may need, by row: `[1]`, or `[1, 1]` for both of two rows. */
  readonly needs: readonly (readonly number[])[]
  /** Durable requests of one owner that wait at the same time. */
  readonly requestsMax: number
  /** Callers may stop waiting for them. */
  readonly timeouts: boolean
  /** Units that one owner may be giving back on one row at the same time: those that wait and those under way. */
  readonly refundsMax: number
  /** Units for which the one mint id may be used, on the first row. Each owner mints once at a time. */
  readonly mints: readonly number[]
  /** Copies of one epoch's requests in the network. */
  readonly attemptsMax: number
  /** Copies of requests whose epoch has no owner any more. */
  readonly lateMax: number
  /** Answers to batches on their way to one owner. */
  readonly answersMax: number
  /** Answers to batches that are over stay on their way. */
  readonly oldAnswers: boolean
  /** Answers to joins on their way to one owner. */
  readonly joinsMax: number
  /** Requests may be delivered and come again. */
  readonly duplicates: boolean
  /** Owners may die, and come back under a new epoch. */
  readonly crashes: boolean
  /** Owners may be closed. */
  readonly closes: boolean
  /** Entries may mark their row as wanted. */
  readonly wants: boolean
  /** The store may put off reaping, burning and pruning. */
  readonly lazyStore: boolean
  /** The store may forget an epoch that has ended. */
  readonly forgets: boolean
  /** The store's clock: how far a step takes it, how long an epoch lives, how often it may be set back, and when it stops. */
  readonly tickMs: number
  readonly leaseTtlMs: number
  readonly jumpsMax: number
  readonly timeMax: number
}

export interface RowBounds {
  readonly key: string
  readonly units: number
  readonly atRisk: number
  readonly burnMax: number
  /** The end of the row's period by the store's clock, which starts at 0; null for a row without one. */
  readonly endsAt: number | null
}

/** Two owners and one budget, which the others change. */
const BASE: Bounds = {
  name: 'base',
  what: '',
  rows: [{ key: 'a', units: 2, atRisk: 2, burnMax: 9, endsAt: null }],
  costs: [],
  needs: [],
  requestsMax: 1,
  timeouts: false,
  refundsMax: 0,
  mints: [],
  attemptsMax: 1,
  lateMax: 1,
  answersMax: 1,
  oldAnswers: false,
  joinsMax: 1,
  duplicates: true,
  crashes: true,
  closes: false,
  wants: false,
  lazyStore: false,
  forgets: false,
  tickMs: 1_001,
  leaseTtlMs: 1_000,
  jumpsMax: 0,
  timeMax: Infinity,
}

export const CONFIGURATIONS: readonly Bounds[] = [
  { ...BASE, name: 'L2', what: '', costs: [1], lateMax: 0 },
  {
    ...BASE,
    name: 'L2b',
    what: '',
    rows: [{ key: 'a', units: 2, atRisk: 1, burnMax: 9, endsAt: null }],
    costs: [1],
    lateMax: 0,
  },
  {
    ...BASE,
    name: 'L3',
    what: '',
    rows: [{ key: 'a', units: 1, atRisk: 1, burnMax: 9, endsAt: null }],
    costs: [1],
    refundsMax: 1,
    lateMax: 0,
  },
  {
    ...BASE,
    name: 'L4',
    what: '',
    rows: [{ key: 'a', units: 1, atRisk: 1, burnMax: 9, endsAt: null }],
    costs: [1],
    attemptsMax: 2,
    lateMax: 1,
    crashes: false,
  },
  {
    ...BASE,
    name: 'D1',
    what: '',
    rows: [{ key: 'a', units: 1, atRisk: 1, burnMax: 9, endsAt: null }],
    needs: [[1]],
    timeouts: true,
    lateMax: 0,
  },
  {
    ...BASE,
    name: 'D2',
    what: '',
    rows: [{ key: 'a', units: 2, atRisk: 0, burnMax: 9, endsAt: null }],
    needs: [[1], [2]],
    timeouts: false,
    lateMax: 1,
    requestsMax: 1,
  },
  {
    ...BASE,
    name: 'E1',
    what: '',
    rows: [{ key: 'a', units: 1, atRisk: 1, burnMax: 9, endsAt: null }],
    costs: [1],
    refundsMax: 0,
    lateMax: 0,
    closes: true,
    crashes: false,
    forgets: true,
  },
  {
    ...BASE,
    name: 'E2',
    what: '',
    rows: [{ key: 'a', units: 1, atRisk: 0, burnMax: 9, endsAt: null }],
    needs: [[1]],
    refundsMax: 1,
    lateMax: 0,
    closes: true,
    crashes: false,
    forgets: true,
  },
  {
    ...BASE,
    name: 'M1',
    what: '',
    rows: [{ key: 'a', units: 0, atRisk: 0, burnMax: 9, endsAt: null }],
    needs: [[1]],
    mints: [1, 2],
    lateMax: 0,
  },
  {
    ...BASE,
    name: 'P1',
    what: '',
    rows: [
      { key: 'a', units: 1, atRisk: 0, burnMax: 9, endsAt: null },
      { key: 'b', units: 1, atRisk: 0, burnMax: 9, endsAt: null },
    ],
    needs: [
      [1, 1],
      [0, 1],
    ],
    lateMax: 0,
  },
  {
    ...BASE,
    name: 'W1',
    what: '',
    rows: [{ key: 'a', units: 2, atRisk: 1, burnMax: 1, endsAt: null }],
    costs: [1],
    wants: true,
    lateMax: 0,
    lazyStore: true,
  },
  {
    ...BASE,
    name: 'R1',
    what: '',
    rows: [{ key: 'a', units: 1, atRisk: 1, burnMax: 9, endsAt: 60_000 }],
    costs: [1],
    lateMax: 0,
    refundsMax: 0,
    duplicates: false,
    tickMs: 45_000,
    leaseTtlMs: 60_000,
    timeMax: 225_000,
    jumpsMax: 1,
  },
]
