import type { ListedRow } from 'vsa'
import { unansweredUnits, type BudgetTotals, type CallTotals } from './call-totals.ts'
import type { ChaosPlan } from './chaos-plan.ts'
import type { PoolResult } from './process-pool.ts'
import { CREDIT_BUDGETS } from './credit-budgets.ts'
import { rowViolations } from './row-check.ts'
import type { StoreContents } from './store-contents.ts'
import type { TestBudget } from './test-budgets.ts'

/** The store when all children are dead and their leases are burned, and what the children logged. */
export interface EndState {
  readonly plan: ChaosPlan
  readonly pool: PoolResult
  readonly totals: CallTotals
  readonly contents: StoreContents
}

/** Events and error codes that these runs produce. Any other is a violation: in these runs no budget is quarantined, and no row or store is lost. */
const EXPECTED_EVENTS = new Set([
  'joined',
  'fenced',
  'burned',
  'burn_limit',
  'threshold',
  'refunds_refused',
  'refund_for_other',
  'store_back',
  // Two clocks that are an hour off, in opposite directions, are two hours apart.
  'clock_leap',
  // The process that has the lock of the file may be paused.
  'store_failed',
  'store_busy',
  'store_unavailable',
  'timeout',
  'closed',
  // An id that was never granted, and one that is not settled yet.
  'reservation_unknown',
  'reservation_open',
])

/** Violations in the rows, the counters and the events, each with its law. */
export function endStateViolations(state: EndState): string[] {
  return [...undeclaredRows(state), ...budgetViolations(state), ...counterViolations(state), ...eventViolations(state)]
}

function undeclaredRows({ plan, contents }: EndState): string[] {
  const keys = new Set(contents.rows.map(({ budget }) => budget.key))
  return [...keys]
    .filter((key) => plan.budgets[key] === undefined && CREDIT_BUDGETS[key] === undefined)
    .map((key) => `L1: undeclared budget ${key}`)
}

function budgetViolations(state: EndState): string[] {
  return Object.entries(state.plan.budgets).flatMap(([key, budget]) => {
    const rows = state.contents.rows.filter((row) => row.budget.key === key)
    return budget.isWindowed ? windowedViolations(state, key, budget, rows) : singleViolations(state, key, budget, rows)
  })
}

function singleViolations(state: EndState, key: string, budget: TestBudget, rows: readonly ListedRow[]): string[] {
  const [row, second] = rows
  if (row === undefined || second !== undefined) return [`L1: ${key} has ${rows.length} rows`]
  const mints = budget.mintUnits === 0 ? 0 : state.pool.mintIds
  return checkRow(state, row, budget, budget.limit + budget.mintUnits * mints, state.totals.sumOf(key))
}

function windowedViolations(state: EndState, key: string, budget: TestBudget, rows: readonly ListedRow[]): string[] {
  const sum = state.totals.sumOf(key)
  // The period of an unanswered request is unknown. It may belong to any row, but counts only once over all rows.
  const unanswered = unansweredUnits(sum)
  const periods = state.totals.periodsOf(key)
  const used = rows.reduce((total, row) => total + row.budget.used, 0)
  return [
    ...rows.flatMap((row) => {
      const { admitted = 0, refunded = 0, refused = 0 } = periods.get(row.budget.period) ?? {}
      const totals = { requested: admitted + unanswered, admitted, denied: 0, refunded, refused }
      return checkRow(state, row, budget, budget.limit, totals)
    }),
    ...periodViolations(key, budget, rows, periods),
    ...(used <= sum.admitted + unanswered
      ? []
      : [`L3: ${key}: more was settled in all periods than requested: ${used}`]),
  ]
}

/** Also for periods whose row was removed: a row that was created again would have minted its units twice. */
function periodViolations(
  key: string,
  budget: TestBudget,
  rows: readonly ListedRow[],
  periods: ReadonlyMap<number, BudgetTotals>,
): string[] {
  const known = new Set(rows.map((row) => row.budget.period))
  return [...periods].flatMap(([period, { admitted, refunded }]) => {
    const net = admitted - refunded
    const isMissing = admitted > 0 && !known.has(period) && budget.isKept
    return [
      ...(net > budget.limit ? [`L1: ${key}: ${net} units of ${budget.limit} were admitted in ${period}`] : []),
      ...(isMissing ? [`L1: ${key}: units were admitted in ${period}, which has no row`] : []),
    ]
  })
}

function checkRow(
  { plan, pool, totals: all }: EndState,
  row: ListedRow,
  { atRisk, burnMax }: TestBudget,
  limit: number,
  totals: BudgetTotals,
): string[] {
  // An epoch ends without a close by a kill, or by a pause or a clock jump. In the last two cases its owner logged that it was fenced.
  const deaths = pool.kills + all.countOf('fenced')
  // In each slot: one owner that lives, and one before it that is dead and not yet reaped. A clock jump ends all other epochs in one
  // transaction, which burns their leases too, so no more can be waiting.
  const ownersMax = 2 * plan.processes
  return rowViolations({ row, totals, limit, atRisk, burnMax, deaths, ownersMax })
}

function counterViolations({ contents, totals }: EndState): string[] {
  return [...totals.counters].flatMap(([key, { min, max }]) => {
    const value = contents.counters.get(key) ?? 0
    return value >= min && value <= max ? [] : [`L3: counter ${key} is ${value}, not between ${min} and ${max}`]
  })
}

/** The server is killed again and again. */
const EXPECTED_WITH_SERVER = new Set([...EXPECTED_EVENTS, 'store_lost'])

function eventViolations({ plan, totals }: EndState): string[] {
  const expected = plan.store === 'sqlite' ? EXPECTED_EVENTS : EXPECTED_WITH_SERVER
  const unexpected = [...totals.events].filter(([event]) => !expected.has(event))
  return unexpected.map(([event, times]) => `event: children logged ${event} ${times} times`)
}
