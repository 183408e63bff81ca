import type { BudgetEntry, Entry, RowPolicy } from '../../core/exchange.ts'
import type { RowRequests } from '../requests/row-requests.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { LeasedRow } from '../rows/leased-row.ts'

/** How one row is to be sent. */
export interface RowOrder {
  readonly hold: number
  readonly wantMs: number
  /** Absent when the store has the policy of this owner already. */
  readonly policy: RowPolicy | undefined
}

/**
 * Puts what the row has to say in flight, and writes the entry.
 * @param requests those that wait for the row's exchange
 */
export function entryOf(
  row: LeasedRow,
  requests: RowRequests | undefined,
  order: RowOrder,
  nowMs: number,
): BudgetEntry {
  const { isKnown: known } = row
  const mint = requests?.send() ?? null
  row.send(order.hold, nowMs)
  const { spent, refund } = row.lease.sent ?? { spent: 0, refund: 0 }
  const { key, window, plan } = row
  const { hold, wantMs } = order
  const version =
    requests?.callsSent.reduce((latest, call) => Math.max(latest, call.kind === 'policy' ? call.version : 0), 0) ?? 0
  const policy = version > 0 ? plan.rowPolicy(window, version) : order.policy
  // Two forms and no copies: a batch of rows that are new has a thousand of the second.
  const entry: BudgetEntry =
    policy === undefined
      ? { kind: 'budget', key, period: window.start, known, spent, refund, hold, wantMs }
      : { kind: 'budget', key, period: window.start, known, spent, refund, hold, wantMs, policy }
  if (requests?.callsSent.some(({ kind }) => kind === 'reset') === true)
    return { ...entry, reset: true, ...(mint && { mint: mint.mint }) }
  return mint === null ? entry : { ...entry, mint: mint.mint }
}

export function counterEntryOf(counter: CounterState): Entry {
  counter.sent = counter.pending
  counter.pending = 0
  counter.dirty = false
  counter.readersSent = counter.readers.takeAll()
  return { kind: 'counter', key: counter.key, add: counter.sent }
}
