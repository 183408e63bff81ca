import type { BudgetWrite, OwnerWrite, PrunableRow, Writes } from '../../core/written-rows.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { readable } from './found-rows.ts'
import { fieldOf, leaseNameOf, memberOf, idFieldOf, type KeyName } from './keys.ts'
import type { Loaded } from './loaded.ts'
import { isOldBudget, leapText, packBudget, packOwner, rowNameFrom, unpackBudget, type StoredBudget } from './rows.ts'
import { SavePlan } from './save-plan.ts'
import { expectDeletions, saveDeletions } from './save-deletions.ts'
import { saveReservations } from './save-reservations.ts'
import { BURN } from './scripts/save.ts'

/** What the script `SAVE` checks and writes, for all writes of one transaction. */
export function save(writes: Writes, loaded: Loaded): SavePlan {
  const plan = new SavePlan()
  expectRows(plan, loaded)
  expectLife(plan, loaded)
  expectDeletions(plan, loaded)
  saveLeases(plan, writes.leases)
  saveBudgets(plan, writes, loaded)
  renewBudgets(plan, writes, loaded)
  saveMints(plan, writes.mints, loaded)
  saveCounters(plan, writes.counters, loaded)
  saveReservations(plan, writes, loaded)
  for (const write of writes.owners) saveOwner(plan, write, loaded)
  removeBudgets(plan, writes.removedBudgets)
  removeOwners(plan, writes)
  saveDeletions(plan, writes, loaded)
  saveStore(plan, writes, loaded)
  return plan
}

/** Every row that was loaded decides, also one that is not written. */
function expectRows(plan: SavePlan, { owners, budgets, counters, reservations }: Loaded): void {
  for (const [epoch, bytes] of owners) plan.expect('o', String(epoch), bytes)
  for (const [field, bytes] of budgets) plan.expect('b', field, bytes)
  for (const [key, value] of counters) plan.expect('c', key, value)
  for (const [field, value] of reservations) plan.expect('r', field, value)
}

/** F1, F3: what another transaction has kept of the incarnation decides this one, too. */
function expectLife(plan: SavePlan, { state }: Loaded): void {
  plan.expect('s', 'incarnation', Buffer.from(state.incarnationKept))
  plan.expect('s', 'frozen', Buffer.from(state.frozenKept))
}

function saveLeases(plan: SavePlan, leases: readonly LeaseRow[]): void {
  for (const lease of leases) {
    const key: KeyName = `l:${lease.epoch}`
    if (lease.held > 0) plan.set('HSET', key, fieldOf(lease), String(lease.held))
    else plan.remove('HDEL', key, fieldOf(lease))
  }
}

/** A lease changes only together with its row, whose sums follow. */
function saveBudgets(plan: SavePlan, { budgets, leases }: Writes, loaded: Loaded): void {
  const changes = leasedChanges(leases, loaded)
  let created = 0
  for (const { change, row } of budgets) {
    const field = fieldOf(row)
    const before = storedBefore(loaded, row)
    const moved = changes.get(field) ?? NO_CHANGE
    const after = {
      row,
      leased: (before?.leased ?? 0) + moved.leased,
      lessees: (before?.lessees ?? 0) + moved.lessees,
    }
    plan.set('HSET', 'b', field, packBudget(after))
    saveIndexes(plan, field, before, after)
    if (change !== 'created') continue
    created += 1
    plan.set('ZADD', 'i', '0', memberOf(row))
  }
  saveVersions(plan, budgets, loaded)
  if (created === 0) return
  plan.command('HINCRBY', 's', ['rows', String(created)])
  // S10: a row that is made again after it was removed would mint its units twice.
  plan.expect('s', 'prunes', Buffer.from(loaded.state.prunes))
}

/** P2: the fast path looks for earlier rows only where one may have a higher version. */
function saveVersions(plan: SavePlan, budgets: Writes['budgets'], { state: { versions } }: Loaded): void {
  if (versions === '') return
  const highest = budgets.reduce((max, { row }) => (row.kind === 'window' ? Math.max(max, row.version) : max), 0)
  if (highest <= Number(versions)) return
  plan.expect('s', 'versions', Buffer.from(versions))
  plan.command('HSET', 's', ['versions', String(highest)])
}

/** Rows of schema 1 that are not written otherwise: the fast path does not read them. */
function renewBudgets(plan: SavePlan, { budgets, removedBudgets }: Writes, loaded: Loaded): void {
  const old = [...loaded.budgets].filter(([, bytes]) => bytes !== undefined && isOldBudget(bytes))
  if (old.length === 0) return
  const written = new Set([...budgets.map(({ row }) => row), ...removedBudgets].map(fieldOf))
  for (const [field, bytes] of old) {
    const name = rowNameFrom(Buffer.from(field))
    const stored = bytes === undefined ? undefined : readable(() => unpackBudget(name, bytes))
    if (stored !== undefined && !('detail' in stored) && !written.has(field))
      plan.set('HSET', 'b', field, packBudget(stored))
  }
}

interface LeasedChange {
  readonly leased: number
  readonly lessees: number
}

const NO_CHANGE: LeasedChange = { leased: 0, lessees: 0 }

/** By field. */
function leasedChanges(leases: readonly LeaseRow[], { held }: Loaded): ReadonlyMap<string, LeasedChange> {
  const changes = new Map<string, LeasedChange>()
  for (const lease of leases) {
    const field = fieldOf(lease)
    const before = held.get(leaseNameOf(field, lease.epoch)) ?? 0
    const { leased, lessees } = changes.get(field) ?? NO_CHANGE
    changes.set(field, {
      leased: leased + lease.held - before,
      lessees: lessees + Number(lease.held > 0) - Number(before > 0),
    })
  }
  return changes
}

/** Undefined for a row that is made. Only a row that could be read is written. */
function storedBefore({ budgets }: Loaded, row: BudgetWrite['row']): StoredBudget | undefined {
  const bytes = budgets.get(fieldOf(row))
  return bytes === undefined ? undefined : unpackBudget(row, bytes)
}

/** The indexes of wanted rows, and of rows that may be removed: those without a lease, and with nothing reserved. */
function saveIndexes(plan: SavePlan, field: string, before: StoredBudget | undefined, after: StoredBudget): void {
  const [wantedBefore, wanted] = [before?.row.wantedUntil ?? 0, after.row.wantedUntil]
  if (wanted > 0 && wanted !== wantedBefore) plan.set('ZADD', 'w', String(wanted), field)
  if (wanted === 0 && wantedBefore > 0) plan.remove('ZREM', 'w', field)
  const [removableBefore, removable] = [before === undefined ? null : removableAt(before), removableAt(after)]
  if (removable !== null && removable !== removableBefore) plan.set('ZADD', 'k', String(removable), field)
  if (removable === null && removableBefore !== null) plan.remove('ZREM', 'k', field)
}

function removableAt({ row, lessees }: StoredBudget): number | null {
  return lessees === 0 && row.reserved === 0 ? row.keepUntil : null
}

/** A key may be minted in two of its periods under one id: that is one mint for ever. */
function saveMints(plan: SavePlan, mints: Writes['mints'], { state }: Loaded): void {
  const units = new Map(mints.map((mint) => [idFieldOf(mint.key, mint.id), mint.units]))
  for (const [field, value] of units) {
    plan.expect('m', field, undefined)
    plan.set('HSET', 'm', field, String(value))
    if (state.deletions !== '') plan.set('ZADD', 'j', '0', field)
  }
  if (units.size > 0) plan.command('HINCRBY', 's', ['mints', String(units.size)])
}

function saveCounters(plan: SavePlan, counters: Writes['counters'], loaded: Loaded): void {
  for (const { key, value } of counters) plan.set('HSET', 'c', key, String(value))
  const made = counters.filter(({ key }) => loaded.counters.get(key) === undefined).length
  if (made > 0) plan.command('HINCRBY', 's', ['counters', String(made)])
}

function saveOwner(plan: SavePlan, { change, row }: OwnerWrite, { state }: Loaded): void {
  const epoch = String(row.epoch)
  plan.set('HSET', 'o', epoch, packOwner(row))
  switch (change) {
    case 'opened':
      plan.expect('s', 'epochs', Buffer.from(state.epochs))
      plan.command('HSET', 's', ['epochs', epoch])
      plan.set('HSET', 'n', epoch, row.label)
      plan.set('ZADD', 'x', String(row.expiresAt), epoch)
      return
    case 'renewed':
      plan.set('ZADD', 'x', String(row.expiresAt), epoch)
      return
    case 'closed':
      plan.remove('ZREM', 'x', epoch)
      plan.set('ZADD', 'z', String(row.seenAt), epoch)
      plan.command(BURN, `l:${row.epoch}`, [epoch])
  }
}

function removeBudgets(plan: SavePlan, rows: readonly PrunableRow[]): void {
  if (rows.length === 0) return
  for (const row of rows) {
    const field = fieldOf(row)
    plan.remove('HDEL', 'b', field)
    plan.remove('ZREM', 'i', memberOf(row))
    plan.remove('ZREM', 'k', field)
    plan.remove('ZREM', 'w', field)
  }
  plan.command('HINCRBY', 's', ['rows', String(-rows.length)])
  plan.command('HINCRBY', 's', ['prunes', '1'])
}

function removeOwners(plan: SavePlan, { removedOwners, burnedOut }: Writes): void {
  for (const epoch of burnedOut) plan.remove('SREM', 'd', String(epoch))
  for (const epoch of removedOwners) {
    plan.remove('HDEL', 'o', String(epoch))
    plan.remove('HDEL', 'n', String(epoch))
    plan.remove('ZREM', 'z', String(epoch))
  }
}

function saveStore(plan: SavePlan, { leap, life, removedBudgets }: Writes, { state }: Loaded): void {
  // Each removes by what the other has written.
  if (leap !== null || removedBudgets.length > 0) plan.expect('s', 'leap', Buffer.from(state.leap))
  if (leap !== null) plan.command('HSET', 's', ['leap', leapText(leap)])
  if (life !== null) plan.command('HSET', 's', ['incarnation', life.incarnation, 'frozen', String(life.frozenUntil)])
  if (state.run !== state.runSeen) plan.command('HSET', 's', ['run', state.run])
}
