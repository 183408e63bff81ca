import type { OwnerRow } from '../core/rows.ts'
import type { BudgetRow, ListedRow } from '../index.ts'
import { count, counted, duration, time } from './format.ts'
import { CommandError, type Report } from './report.ts'
import { printable } from './safe-text.ts'
import { type Reserved, reservedOf, reservedText, returnsText } from './reserved.ts'
import { assertReadable, inspecting, unknownBudget, visitRows } from './store-reader.ts'
import { placeOf } from './stores/place-of.ts'
import { columns, facts, table } from './table.ts'

/**
 * Why a budget denies now. `available`: it need not. `over`: its period is over, and no owner has made the row of the present one. `leased`: other owners hold what is
 * left. `reserved`: reservations have set aside what is left. `burned`: what is not used was burned with owners that died. `exhausted`: all of it is used. `unminted`: nothing was ever minted.
 */
type Reason = 'available' | 'over' | 'leased' | 'reserved' | 'burned' | 'exhausted' | 'unminted'

/** A lease, and what is known of its owner. */
interface Holder {
  readonly epoch: number
  readonly leased: number
  readonly label: string | null
  readonly state: OwnerRow['state'] | null
  readonly seenAt: number | null
  readonly expiresAt: number | null
}

interface Finding {
  readonly row: BudgetRow
  readonly holders: readonly Holder[]
  /** By living owners. */
  readonly leased: number
  /** Leases of owners that have ended: they count as burned (S8). */
  readonly burning: number
  readonly reserved: Reserved
  readonly reason: Reason
}

const UNASKED = ': no process has asked it yet, or upkeep has removed its rows, which were older than their retention'

/**
 * Why a budget denies: its row of the present period, the owners that hold leases on it, and when units come back. Nothing is written.
 * @param address as `placeOf` takes it
 * @param now by the clock of this machine, ms since 1970
 * @param timeZone of the times in the text
 */
export async function why(address: string, key: string, now: number, timeZone: string): Promise<Report> {
  const place = placeOf(address)
  const { listed, owners, reserved } = await inspecting(place, async (inspection) => {
    assertReadable(place, await inspection.textDamage())
    const found: ListedRow[] = []
    const unreadable: string[] = []
    const visitor = {
      row: (row: ListedRow) => found.push(row),
      unreadable: ({ detail }: { detail: string }) => unreadable.push(detail),
    }
    await visitRows(inspection, visitor, key)
    const [detail] = unreadable
    if (detail !== undefined)
      throw new CommandError('row_damaged', `a row of '${key}' cannot be read: ${detail}; see vsa verify`)
    const listed = presentOf(found, now)
    if (listed === undefined) throw await unknownBudget(place, inspection, key, UNASKED)
    return { listed, owners: await inspection.owners(), reserved: await reservedOf(inspection, listed) }
  })
  const finding = findingOf(listed, { owners, reserved, now })
  return { ok: true, json: jsonOf(place.name, finding), text: textOf(finding, now, timeZone) }
}

/** The row of the period that is now; else the latest one before. */
function presentOf(rows: readonly ListedRow[], now: number): ListedRow | undefined {
  const begun = rows.filter(({ budget: { period } }) => period <= now)
  return begun.at(-1) ?? rows[0]
}

interface Around {
  readonly owners: readonly OwnerRow[]
  readonly reserved: Reserved
  readonly now: number
}

function findingOf({ budget, leases }: ListedRow, { owners, reserved, now }: Around): Finding {
  const known = new Map(owners.map((owner) => [owner.epoch, owner]))
  const holders = leases.map(({ epoch, held }) => {
    const { label = null, state = null, seenAt = null, expiresAt = null } = known.get(epoch) ?? {}
    return { epoch, leased: held, label, state, seenAt, expiresAt }
  })
  const sumOf = (isOver: boolean): number =>
    holders.reduce((sum, holder) => sum + ((holder.state === 'closed') === isOver ? holder.leased : 0), 0)
  const [leased, burning] = [sumOf(false), sumOf(true)]
  const burned = budget.burned + burning
  return { row: budget, holders, leased, burning, reserved, reason: reasonOf({ ...budget, burned }, leased, now) }
}

function reasonOf({ endsAt, pool, minted, burned, used, reserved }: BudgetRow, leased: number, now: number): Reason {
  if (endsAt !== null && endsAt <= now) return 'over'
  if (pool > 0) return 'available'
  if (leased > 0) return 'leased'
  if (reserved > 0) return 'reserved'
  if (minted === 0) return 'unminted'
  return burned > 0 && used < minted ? 'burned' : 'exhausted'
}

function jsonOf(store: string, finding: Finding): unknown {
  const { row, holders, leased, burning, reserved, reason } = finding
  const { largest: reservations, count: reservationCount, unreadable } = reserved
  const more = { reservations, reservationCount, unreadableReservations: unreadable, moreAt: moreAt(finding) }
  return { store, reason, ...row, leased, burning, leases: holders, ...more }
}

/** When units come back by themselves; null where that is not known, or not needed. */
function moreAt({ row: { endsAt }, reserved, reason }: Finding): number | null {
  if (reason !== 'reserved' || reserved.returnsAt === null) return reason === 'available' ? null : endsAt
  return Math.min(endsAt ?? Infinity, reserved.returnsAt)
}

function textOf(finding: Finding, now: number, timeZone: string): string {
  const { row, holders, leased, reserved } = finding
  const { key, limit, minted, used, reserved: units, pool, burned, burnMax } = row
  const sections = [
    `${printable(key)}: ${sentenceOf(finding, now, timeZone)}`,
    facts([
      ['limit', count(limit)],
      ['minted', count(minted)],
      ['used', count(used)],
      ...(units > 0 ? [['reserved', count(units), `by ${counted(reserved.count, 'reservation')}`] as const] : []),
      [
        'burned',
        count(burned),
        burned >= burnMax && burned > 0 ? `no lease grows any more: ${count(burnMax)} may burn in a period` : '',
      ],
      ['leased', count(leased), holders.length === 0 ? '' : `to ${counted(holders.length, 'owner')}`],
      ['pool', count(pool), 'what any owner may take'],
    ]),
    holders.length === 0 ? '' : holderTable(holders, now),
    reservedText(reserved, timeZone),
  ]
  return sections.filter((text) => text !== '').join('\n\n')
}

function sentenceOf({ row, leased, burning, reserved, reason }: Finding, now: number, timeZone: string): string {
  const { endsAt, pool, minted, burned } = row
  const ends =
    endsAt === null
      ? 'Mint units, or give some back.'
      : `The next period begins at ${time(endsAt, timeZone)}, in ${duration(endsAt - now)}.`
  switch (reason) {
    case 'available':
      return `it need not deny: ${counted(pool, 'unit')} ${pool === 1 ? 'is' : 'are'} in the pool. A request for more than ${count(pool + leased)} is denied${row.reserved > 0 ? `: ${counted(row.reserved, 'unit')} ${row.reserved === 1 ? 'is' : 'are'} reserved` : ''}.`
    case 'over':
      return `its last period ended at ${time(endsAt, timeZone)}. The next request makes the row of the present one, with all its units.`
    case 'leased':
      return `its pool is empty, and owners hold ${counted(leased, 'unit')}. They return what they do not use within some flush intervals once another owner waits for it; a dead owner's lease burns when it expires.`
    case 'reserved':
      return `its pool is empty, and ${counted(row.reserved, 'unit')} ${row.reserved === 1 ? 'is' : 'are'} reserved. ${returnsText(reserved, timeZone)} ${ends}`
    case 'burned':
      return `its units are used, and ${counted(burned + burning, 'unit')} burned with owners that died. ${ends}`
    case 'exhausted':
      return `all of its ${counted(minted, 'unit')} are used. ${ends}`
    case 'unminted':
      return 'nothing was minted yet. Mint units, or raise its limit.'
  }
}

/** Those that hold the most first. */
function holderTable(holders: readonly Holder[], now: number): string {
  return table(
    columns('>leased', '>epoch', 'state', 'last seen', 'expires', 'owner'),
    holders
      .toSorted((one, other) => other.leased - one.leased)
      .map(({ leased, epoch, state, seenAt, expiresAt, label }) => [
        count(leased),
        String(epoch),
        state ?? '?',
        seenAt === null ? '-' : `${duration(Math.max(0, now - seenAt))} ago`,
        expiryOf(state, expiresAt, now),
        label === null ? '?' : printable(label),
      ]),
  )
}

function expiryOf(state: Holder['state'], expiresAt: number | null, now: number): string {
  if (state !== 'open' || expiresAt === null) return '-'
  return expiresAt <= now ? `${duration(now - expiresAt)} ago: it burns` : `in ${duration(expiresAt - now)}`
}
