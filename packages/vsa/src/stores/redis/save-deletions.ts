import type { Writes } from '../../core/written-rows.ts'
import { encodeText } from '../../core/stored-text.ts'
import { fieldOf, idFieldOf, memberOf } from './keys.ts'
import type { Loaded } from './loaded.ts'
import type { SavePlan } from './save-plan.ts'
import { DELETE } from './scripts/save.ts'

/**
 * P6: nothing was deleted since the load. A row or a reservation that was deleted and made again may have the bytes that were loaded, and stand for other leases; and the
 * names are listed from the first deletion on.
 */
export function expectDeletions(plan: SavePlan, { state, ranges }: Loaded): void {
  plan.expect('s', 'deletions', Buffer.from(state.deletions))
  for (const range of ranges) plan.expectRange(range)
}

export function saveDeletions(
  plan: SavePlan,
  { deletion, heardDeletions, removedOwners }: Writes,
  { state }: Loaded,
): void {
  if (deletion !== null) {
    const { key, budgets, mints } = deletion
    const rows = [String(budgets.length), ...budgets.map(fieldOf), ...budgets.map(memberOf)]
    plan.command(DELETE, 'e', [encodeText(key), ...rows, ...mints.map(({ id }) => idFieldOf(key, id))])
  }
  for (const lease of heardDeletions) plan.remove('HDEL', `u:${lease.epoch}`, fieldOf(lease))
  if (state.deletions !== '') for (const epoch of removedOwners) plan.command('DEL', `u:${epoch}`, [])
}
