import type { BudgetWrite, Deletion, LeaseName, OwnerWrite, PrunableRow, Writes } from '../../core/written-rows.ts'
import { deletedKeysFrom, FORGOTTEN_KEYS_MAX } from '../../core/deleted-keys.ts'
import type { RowName } from '../../core/exchange.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { PERIOD_SLACK_MS } from '../../core/settle-entry.ts'
import { encodeText } from '../../core/stored-text.ts'
import { leaseNameOf, type Leased, type Locked } from './found.ts'
import { integerArray, integerLiteral, textArray, textLiteral } from './literals.ts'
import { mintHash } from './load.ts'
import { hashArray, removeReservations, saveReservations } from './reservation-rows.ts'
import { nameOf, STUB } from './rows.ts'
import { namesOf } from './sql.ts'

/** The statements that apply all writes, inside the transaction that loaded the rows. The row of `store` comes last: see `sql.ts`. */
export function save(schema: string, writes: Writes, locked: Locked): string {
  const { budgets, leases, mints, counters, removedBudgets, removedOwners, burnedOut } = writes
  const { reservations, removedReservations, removedIntents, droppedIntents, deletion, heardDeletions } = writes
  const written = new Set(budgets.map(({ row }) => nameOf(row)))
  const stubs = locked.stubs.filter((stub) => !written.has(nameOf(stub)))
  return [
    ...some(leases, () => saveLeases(schema, leases)),
    ...some(budgets, () => [saveBudgets(schema, budgets, leasedAfter(leases, locked))]),
    ...some(stubs, () => [removeBudgets(schema, stubs, ` and b.kind = '${STUB}'`)]),
    ...some(mints, () => [saveMints(schema, mints)]),
    ...some(counters, () => [saveCounters(schema, counters)]),
    ...saveReservations(schema, reservations),
    ...some(removedReservations, () => [removeReservations(schema, removedReservations)]),
    ...some(droppedIntents, () => [dropIntents(schema, droppedIntents)]),
    ...some(removedIntents, () => [removeIntents(schema, removedIntents)]),
    ...some(removedBudgets, () => [removeBudgets(schema, removedBudgets, ' and b.lessees = 0 and b.reserved = 0')]),
    ...(deletion === null ? [] : saveDeletion(schema, deletion, writes.time)),
    ...some(heardDeletions, () => [removeMarks(schema, heardDeletions)]),
    ...some(removedOwners, () => [
      `delete from ${schema}.owner where epoch = any(${integerArray(removedOwners)});
delete from ${schema}.deleted_lease where epoch = any(${integerArray(removedOwners)});`,
    ]),
    ...some(burnedOut, () => [
      `update ${schema}.owner set burning = false where burning and epoch = any(${integerArray(burnedOut)});`,
    ]),
    ...writes.owners.map((write) => saveOwner(schema, write)),
    ...saveStore(schema, writes),
  ].join('\n')
}

function some(rows: readonly unknown[], statements: () => readonly string[]): readonly string[] {
  return rows.length === 0 ? [] : statements()
}

function saveLeases(schema: string, leases: readonly LeaseRow[]): readonly string[] {
  const kept = leases.filter(({ held }) => held > 0)
  const ended = leases.filter(({ held }) => held === 0)
  return [
    ...some(kept, () => [
      `insert into ${schema}.lease (key, period, epoch, held)
select * from unnest(${columns(kept)}, ${integerArray(kept.map(({ epoch }) => epoch))}, ${integerArray(kept.map(({ held }) => held))})
on conflict (epoch, key, period) do update set held = excluded.held;`,
    ]),
    ...some(ended, () => [
      `delete from ${schema}.lease l using unnest(${columns(ended)}, ${integerArray(ended.map(({ epoch }) => epoch))}) e(key, period, epoch)
where l.epoch = e.epoch and l.key = e.key and l.period = e.period;`,
    ]),
  ]
}

/** The columns `leased` and `lessees` after these leases. */
function leasedAfter(leases: readonly LeaseRow[], locked: Locked): (row: RowName) => Leased {
  const after = new Map(locked.leased)
  for (const lease of leases) {
    const name = nameOf(lease)
    const before = locked.held.get(leaseNameOf(lease, lease.epoch)) ?? 0
    const { leased, lessees } = after.get(name) ?? NO_LEASE
    after.set(name, {
      leased: leased + lease.held - before,
      lessees: lessees + Number(lease.held > 0) - Number(before > 0),
    })
  }
  return (row) => after.get(nameOf(row)) ?? NO_LEASE
}

const NO_LEASE: Leased = { leased: 0, lessees: 0 }

/** Every row exists and is locked: one that is made has a stub. */
function saveBudgets(schema: string, writes: readonly BudgetWrite[], leasedOf: (row: RowName) => Leased): string {
  const rows = writes.map(({ row }) => row)
  const leased = rows.map(leasedOf)
  const values = [
    columns(rows),
    textArray(rows.map(({ kind }) => kind.charAt(0))),
    integerArray(rows.map(({ minted }) => minted)),
    integerArray(rows.map(({ used }) => used)),
    integerArray(rows.map(({ reserved }) => reserved)),
    integerArray(rows.map((row) => row.pool)),
    integerArray(rows.map(({ burned }) => burned)),
    integerArray(leased.map((sums) => sums.leased)),
    integerArray(leased.map(({ lessees }) => lessees)),
    integerArray(rows.map(({ limit }) => limit)),
    integerArray(rows.map(({ burnMax }) => burnMax)),
    integerArray(rows.map(({ version }) => version)),
    integerArray(rows.map(({ resets }) => resets)),
    integerArray(rows.map(({ wantedUntil }) => wantedUntil)),
    integerArray(rows.map(({ endsAt }) => endsAt)),
    integerArray(rows.map(({ keepUntil }) => keepUntil)),
  ]
  return `update ${schema}.budget b set kind = e.kind::"char", minted = e.minted, used = e.used, reserved = e.reserved, pool = e.pool, burned = e.burned,
leased = e.leased, lessees = e.lessees, limit_units = e.limit_units, burn_max = e.burn_max, version = e.version, resets = e.resets,
wanted_until = e.wanted_until, ends_at = e.ends_at, keep_until = e.keep_until
from unnest(${values.join(', ')}) e(key, period, kind, minted, used, reserved, pool, burned, leased, lessees, limit_units, burn_max, version, resets,
wanted_until, ends_at, keep_until)
where b.key = e.key and b.period = e.period;`
}

function removeBudgets(schema: string, rows: readonly RowName[], condition: string): string {
  return `delete from ${schema}.budget b using ${namesOf(rows)} where b.key = e.key and b.period = e.period${condition};`
}

/**
 * P6. The rows are locked, whatever is leased of them or reserved. Old keys that another transaction has locked are left: so no deletion waits for one behind a lock.
 * @param time store time of the deletion, ms since 1970
 */
function saveDeletion(schema: string, { key, budgets, leases, mints }: Deletion, time: number): readonly string[] {
  const marks = `${integerArray(leases.map(({ epoch }) => epoch))}, ${columns(leases)}`
  return [
    ...saveLeases(
      schema,
      leases.map((lease) => ({ ...lease, held: 0 })),
    ),
    ...some(budgets, () => [removeBudgets(schema, budgets, '')]),
    ...some(mints, () => [
      `delete from ${schema}.mint where hash = any(${hashArray(mints.map((mint) => mintHash(mint.key, mint.id)))});`,
    ]),
    `insert into ${schema}.deleted_key (key, deleted_at) values (${textLiteral(encodeText(key))}, ${integerLiteral(time)})
on conflict (key) do update set deleted_at = excluded.deleted_at;`,
    ...some(leases, () => [
      `insert into ${schema}.deleted_lease (epoch, key, period) select * from unnest(${marks}) on conflict do nothing;`,
    ]),
    `delete from ${schema}.deleted_key where key in (select key from ${schema}.deleted_key where deleted_at < ${integerLiteral(deletedKeysFrom(time))}
order by deleted_at limit ${FORGOTTEN_KEYS_MAX} for update skip locked);`,
  ]
}

/** P6: this epoch has heard. */
function removeMarks(schema: string, leases: readonly LeaseName[]): string {
  const epochs = integerArray(leases.map(({ epoch }) => epoch))
  return `delete from ${schema}.deleted_lease d using unnest(${epochs}, ${columns(leases)}) e(epoch, key, period)
where d.epoch = e.epoch and d.key = e.key and d.period = e.period;`
}

/** T1: each is reported once. Where another transaction has removed one of them, all is loaded again, as after a conflict of rows. */
function dropIntents(schema: string, dropped: Writes['droppedIntents']): string {
  const numbers = integerArray(dropped.map(({ number }) => number))
  return `do $vsa$ declare _removed bigint; begin
delete from ${schema}.intent where number in (
select number from ${schema}.intent where number = any(${numbers}) order by number for update);
get diagnostics _removed = row_count;
if _removed < ${dropped.length} then raise exception 'vsa: another transaction has removed an intent' using errcode = 'unique_violation'; end if;
end $vsa$;`
}

/** In one order for all, because two transactions may find that the same one is for nothing. */
function removeIntents(schema: string, numbers: readonly number[]): string {
  return `delete from ${schema}.intent where number in (
select number from ${schema}.intent where number = any(${integerArray(numbers)}) order by number for update);`
}

function saveMints(schema: string, mints: Writes['mints']): string {
  const hashes = textArray(mints.map(({ key, id }) => `\\x${mintHash(key, id)}`))
  const [keys, ids] = [mints.map(({ key }) => encodeText(key)), mints.map(({ id }) => encodeText(id))]
  const units = integerArray(mints.map((mint) => mint.units))
  return `insert into ${schema}.mint (hash, key, id, units)
select * from unnest(${hashes}::bytea[], ${textArray(keys)}, ${textArray(ids)}, ${units}) order by 1;`
}

function saveCounters(schema: string, counters: Writes['counters']): string {
  const keys = textArray(counters.map(({ key }) => encodeText(key)))
  return `update ${schema}.counter c set value = e.value
from unnest(${keys}, ${integerArray(counters.map(({ value }) => value))}) e(key, value) where c.key = e.key;`
}

function saveOwner(schema: string, { change, row }: OwnerWrite): string {
  const { epoch, token, label, seq, outcome, seenAt, expiresAt, leaseTtlMs } = row
  const written = textLiteral(JSON.stringify(outcome))
  const times = [seenAt, expiresAt].map(integerLiteral)
  const numbers = `seq = ${integerLiteral(seq)}, outcome = ${written}, seen_at = ${times[0]}, expires_at = ${times[1]}`
  const ofEpoch = `where epoch = ${integerLiteral(epoch)};`
  switch (change) {
    case 'opened':
      return `update ${schema}.store set epochs = greatest(epochs, ${integerLiteral(epoch)});
insert into ${schema}.owner (epoch, token, label, is_open, burning, seq, outcome, seen_at, expires_at, lease_ttl_ms)
values (${integerLiteral(epoch)}, ${textLiteral(encodeText(token))}, ${textLiteral(encodeText(label))}, true, false,
${integerLiteral(seq)}, ${written}, ${times.join(', ')}, ${integerLiteral(leaseTtlMs)});`
    case 'renewed':
      return `update ${schema}.owner set ${numbers} ${ofEpoch}`
    case 'closed':
      return `update ${schema}.owner set is_open = false, burning = exists (select 1 from ${schema}.lease l where l.epoch = owner.epoch),
${numbers} ${ofEpoch}`
  }
}

function saveStore(schema: string, { time, owners, removedBudgets, leap, life }: Writes): readonly string[] {
  // An open owner's `seen_at` records the time seen. Where none has this time, the time must be stored separately.
  const isRecorded = owners.some(({ change, row }) => change !== 'closed' && row.seenAt >= time)
  const sets = [
    ...(isRecorded ? [] : [`time_seen = greatest(time_seen, ${integerLiteral(time)})`]),
    ...(removedBudgets.length === 0
      ? []
      : [`pruned_until = greatest(pruned_until, ${remakableUntil(removedBudgets)})`]),
    ...(leap === null
      ? []
      : [
          `leapt_from = ${integerLiteral(leap.from)}, leapt_at = ${integerLiteral(leap.at)}, leapt_until = ${integerLiteral(leap.until)}`,
        ]),
  ]
  // Of two that saw the same loss, the later one.
  if (life !== null) {
    const { incarnation, frozenUntil } = life
    sets.push(
      `kept_incarnation = ${textLiteral(incarnation)}, frozen_until = greatest(frozen_until, ${integerLiteral(frozenUntil)})`,
    )
  }
  return sets.length === 0 ? [] : [`update ${schema}.store set ${sets.join(', ')};`]
}

/** The store time from which none of the rows can be made again (S4). */
function remakableUntil(rows: readonly PrunableRow[]): string {
  return integerLiteral(rows.reduce((until, { endsAt }) => Math.max(until, (endsAt ?? 0) + PERIOD_SLACK_MS), 0))
}

/** Keys and periods, as two arrays. */
function columns(rows: readonly RowName[]): string {
  return `${textArray(rows.map(({ key }) => encodeText(key)))}, ${integerArray(rows.map(({ period }) => period))}`
}
