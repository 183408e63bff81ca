/** The bounds of one search: rows, requests of callers, faults of the network. Every step within the bounds is tried. */
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
  /** Callers of these requests may time out. */
  readonly timeouts: boolean
  /** Units that one owner may be refunding on one row at the same time, waiting or in flight. */
  readonly refundsMax: number
  /** Units for which the one mint id may be used, on the first row. Each owner mints once at a time. */
  readonly mints: readonly number[]
  /** Copies of one epoch's requests in the network. */
  readonly attemptsMax: number
  /** Copies of requests whose epoch no longer has an owner. */
  readonly lateMax: number
  /** Answers to batches on their way to one owner. */
  readonly answersMax: number
  /** Late answers to earlier batches stay in the network. */
  readonly oldAnswers: boolean
  /** Answers to joins on their way to one owner. */
  readonly joinsMax: number
  /** A request may be delivered more than once. */
  readonly duplicates: boolean
  /** Owners may crash, and join again under a new epoch. */
  readonly crashes: boolean
  /** Owners may be closed. */
  readonly closes: boolean
  /** Entries may mark their row as wanted. */
  readonly wants: boolean
  /** The store may delay upkeep (reaping, burning, pruning). */
  readonly lazyStore: boolean
  /** The store may forget an epoch that has ended. */
  readonly forgets: boolean
  /** The store's clock: how far a step takes it, how long an epoch lives, how often it may be set back, and when it stops. */
  readonly tickMs: number
  readonly leaseTtlMs: number
  readonly jumpsMax: number
  readonly timeMax: number
  /** Callers may request units until none are left. */
  readonly isSpendable: boolean
  /** The search stops at this many states, if there are more. */
  readonly statesMax: number
}

export interface RowBounds {
  readonly key: string
  readonly units: number
  readonly atRisk: number
  readonly burnMax: number
  /** The end of the row's period by the store's clock, which starts at 0; null for a row without one. */
  readonly endsAt: number | null
}

/** A budget of one unit, which may be leased. */
const ONE: RowBounds = { key: 'a', units: 1, atRisk: 1, burnMax: 9, endsAt: null }
const TWO: RowBounds = { ...ONE, units: 2 }

/** The default: two owners and one budget. Each configuration below overrides parts of it. */
const BASE: Bounds = {
  name: 'base',
  what: '',
  rows: [ONE],
  costs: [],
  needs: [],
  requestsMax: 1,
  timeouts: false,
  refundsMax: 0,
  mints: [],
  attemptsMax: 1,
  lateMax: 0,
  answersMax: 1,
  oldAnswers: false,
  joinsMax: 1,
  duplicates: false,
  crashes: false,
  closes: false,
  wants: false,
  lazyStore: false,
  forgets: false,
  tickMs: 1_001,
  leaseTtlMs: 1_000,
  jumpsMax: 0,
  timeMax: Infinity,
  isSpendable: true,
  statesMax: 1_000_000,
}

/** One row that is removed: its period lasts one minute, it may be created for two minutes, and must be kept for three. */
const PERIOD: Bounds = {
  ...BASE,
  tickMs: 45_000,
  leaseTtlMs: 60_000,
  timeMax: 225_000,
  jumpsMax: 1,
  isSpendable: false,
}

export const CONFIGURATIONS: readonly Bounds[] = [
  {
    ...BASE,
    name: 'leases',
    what: 'two owners spend from leases, crash, restart and are reaped; messages are duplicated',
    rows: [TWO],
    costs: [1],
    crashes: true,
    duplicates: true,
  },
  {
    ...BASE,
    name: 'wide-leases',
    what: 'leases of two units, spent and refunded one unit at a time',
    rows: [{ ...TWO, atRisk: 2 }],
    costs: [1],
  },
  {
    ...BASE,
    name: 'refunds',
    what: 'refunds of own units, of the other owner’s units, and of more units than were admitted',
    costs: [1],
    refundsMax: 1,
  },
  {
    ...BASE,
    name: 'returns',
    what: 'requests with nothing at risk, and refunds of what they took',
    rows: [{ ...ONE, atRisk: 0 }],
    needs: [[1]],
    refundsMax: 1,
  },
  {
    ...BASE,
    name: 'order',
    what: 'requests and answers are reordered, within an epoch and after its end',
    costs: [1],
    attemptsMax: 2,
    lateMax: 1,
    oldAnswers: true,
  },
  {
    ...BASE,
    name: 'durable',
    what: 'durable requests, from a lease or as takes, with timeouts',
    needs: [[1]],
    timeouts: true,
  },
  {
    ...BASE,
    name: 'takes',
    what: 'durable requests for one unit or two, with nothing at risk',
    rows: [{ ...TWO, atRisk: 0 }],
    needs: [[1], [2]],
    crashes: true,
    duplicates: true,
  },
  {
    ...BASE,
    name: 'endings',
    what: 'owners close with spent and unspent units, and start again',
    costs: [1],
    closes: true,
  },
  {
    ...BASE,
    name: 'forgotten',
    what: 'the store forgets ended epochs while their owners wait for an answer',
    rows: [{ ...ONE, atRisk: 0 }],
    needs: [[1]],
    closes: true,
    forgets: true,
  },
  {
    ...BASE,
    name: 'last-refunds',
    what: 'owners close with requests and refunds in flight',
    rows: [{ ...ONE, atRisk: 0 }],
    needs: [[1]],
    refundsMax: 1,
    closes: true,
  },
  {
    ...BASE,
    name: 'mints',
    what: 'mints under one id, for one unit or two',
    rows: [{ ...ONE, units: 0, atRisk: 0 }],
    mints: [1, 2],
    crashes: true,
    duplicates: true,
    isSpendable: false,
  },
  {
    ...BASE,
    name: 'pairs',
    what: 'requests that need two budgets, all or nothing',
    rows: [
      { ...ONE, atRisk: 0 },
      { ...ONE, key: 'b', atRisk: 0 },
    ],
    needs: [
      [1, 1],
      [0, 1],
    ],
    isSpendable: false,
  },
  {
    ...BASE,
    name: 'wants',
    what: 'wanted rows, a small burnMax, a store that reaps at any time',
    rows: [{ ...TWO, burnMax: 1 }],
    costs: [1],
    wants: true,
    lazyStore: true,
    isSpendable: false,
  },
  {
    ...PERIOD,
    name: 'periods',
    what: 'leases on a row whose period ends and which is removed; the store clock is set back',
    rows: [{ ...ONE, endsAt: 60_000 }],
    costs: [1],
  },
  {
    ...PERIOD,
    name: 'removed',
    what: 'durable requests and refunds for such a row',
    rows: [{ ...ONE, atRisk: 0, endsAt: 60_000 }],
    needs: [[1]],
    refundsMax: 1,
  },
  {
    ...BASE,
    name: 'everything',
    what: 'everything except mints and periods, up to the bound',
    rows: [{ ...TWO, atRisk: 2 }],
    costs: [1],
    needs: [[1], [2]],
    timeouts: true,
    refundsMax: 1,
    attemptsMax: 2,
    lateMax: 1,
    oldAnswers: true,
    duplicates: true,
    crashes: true,
    closes: true,
    forgets: true,
    lazyStore: true,
    statesMax: 500_000,
  },
]
