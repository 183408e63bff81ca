import type { Store } from 'vsa'

/** The sums over the rows of a store, read after every engine was closed. */
export interface Totals {
  readonly rows: number
  readonly used: number
  /** Set aside by reservations. */
  readonly reserved: number
  readonly burned: number
  readonly held: number
  /** Minted less used, reserved, pool, burned and held. Must be 0. */
  readonly missing: number
}

const PAGE = 10_000

export async function totalsOf(store: Store): Promise<Totals> {
  const totals = { rows: 0, used: 0, reserved: 0, burned: 0, held: 0, missing: 0 }
  let after: { readonly key: string; readonly period: number } | undefined
  do {
    const page = await store.list(after === undefined ? { limit: PAGE } : { after, limit: PAGE })
    after = page.rows.length < PAGE ? undefined : page.rows.at(-1)?.budget
    for (const { budget, leases } of page.rows) {
      const held = leases.reduce((sum, lease) => sum + lease.held, 0)
      totals.rows += 1
      totals.used += budget.used
      totals.reserved += budget.reserved
      totals.burned += budget.burned
      totals.held += held
      totals.missing += budget.minted - budget.used - budget.reserved - budget.pool - budget.burned - held
    }
  } while (after !== undefined)
  await store.close()
  return totals
}

/** Whether everything admitted is used, nothing is reserved, burned or held, and the rows balance. */
export function isBalanced(totals: Totals, admitted: number): boolean {
  return (
    totals.used === admitted &&
    totals.reserved === 0 &&
    totals.burned === 0 &&
    totals.held === 0 &&
    totals.missing === 0
  )
}
