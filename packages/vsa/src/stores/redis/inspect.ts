import { InvariantError } from '../../core/errors.ts'
import type { RowName } from '../../core/exchange.ts'
import type { InspectedPage, InspectedRow, Inspection, UnreadableRow } from '../../core/inspection.ts'
import { leaseSumFaults } from '../../core/lease-sums.ts'
import type { CounterRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import type { RedisArgument } from './client.ts'
import { noStore, storeTooNew } from './errors.ts'
import { chargesNow, chargesOf, type Charges } from './inspect-charged.ts'
import { findings, type Counts } from './inspect-findings.ts'
import { reservationPages } from './inspect-reservations.ts'
import { fieldOf, memberRange, rowNameOf } from './keys.ts'
import { bytesOf, bytesOrNone, list, number, pairs, text, unpackBudget, unpackOwner } from './rows.ts'
import { scan } from './scan.ts'
import { COUNTER_PAGE, COUNTS, IS_USED, OWNER_PAGE, ROWS } from './scripts/inspect.ts'
import { SCHEMA_VERSION } from './scripts/script.ts'
import type { Session } from './session.ts'

/** Rows of one script (R5). */
const PAGE_ROWS = 250
/** Leases that one script looks for: so many rows less, the more owners there are. */
const PAGE_LOOKUPS = 1_500
/** Owners of one script: each has an outcome of some kilobytes. */
const PAGE_OWNERS = 100
const PAGE_COUNTERS = 500

/**
 * Reads a store for `verify` and `inspect`, and writes nothing, so that a replica can be read, too. Each page is one short script (R5): a row and its leases are of
 * one moment, and two pages are not. A store whose keys were removed or changed is read as far as it goes.
 * @param session whose client is not ended by `close`
 * @throws StoreError `not_a_database` (there is no key of the prefix), `schema_too_new`; also the errors of the connection
 */
export async function inspectRedis(session: Session): Promise<Inspection> {
  const { keys, schema } = await countsOf(session)
  if (keys === 0) throw noStore(session.prefix)
  if (schema !== null && Number(schema) > SCHEMA_VERSION) throw storeTooNew(session.prefix, schema, SCHEMA_VERSION)
  return {
    pages: (key) => budgetPages(session, key),
    owners: () => owners(session),
    counterPages: () => counterPages(session),
    reservationPages: (key) => reservationPages(session, key),
    integrity: async () => findings(session, await countsOf(session)),
    // Texts are bytes, which every client may read.
    textDamage: async () => [],
    close: async () => undefined,
  }
}

/** Whether an engine has written to the store of a prefix. @throws StoreError */
export async function isStoreUsed(session: Session): Promise<boolean> {
  return text(await session.run({ script: IS_USED, phase: 'load' })) === '1'
}

async function countsOf(session: Session): Promise<Counts> {
  const [keys, ...rest] = list(await session.run({ script: COUNTS, phase: 'load' }))
  const counted = rest.slice(0, 7).map((value) => (value === null ? null : text(value)))
  const [schema = null, rows = null, mints = null, counters = null, ...more] = counted
  const [reservations = null, names = null, epochs = null] = more
  const [budgets = 0, index = 0, mintsFound = 0, countersFound = 0, ...others] = rest.slice(7).map(number)
  const [sweeps = 0, namesFound = 0, misplaced = 0] = others
  return {
    keys: number(keys),
    schema,
    epochs,
    parts: [
      { key: 'b', written: rows, found: budgets },
      { key: 'i', written: rows, found: index },
      { key: 'm', written: mints, found: mintsFound },
      { key: 'c', written: counters, found: countersFound },
      { key: 't', written: reservations, found: sweeps },
      { key: 'r', written: names, found: namesFound },
    ],
    misplaced,
  }
}

async function* budgetPages(session: Session, key: string | undefined): AsyncGenerator<InspectedPage> {
  const [first, to] = memberRange(key)
  const charges = await chargesOf(session, key)
  let from: RedisArgument = first
  for (;;) {
    const values = [from, to, String(PAGE_ROWS), String(PAGE_LOOKUPS)]
    const [found, leases] = list(await session.run({ script: ROWS, values, phase: 'load' }))
    const rows = pairs(found)
    const last = rows.at(-1)
    if (last === undefined) return
    yield await chargedPage(session, pageOf(rows, leasesByRow(list(leases))), charges)
    from = Buffer.concat([Buffer.from('('), bytesOf(last[0])])
  }
}

/** R2: with what the reservations of each row have charged it with, as far as that is certain. */
async function chargedPage(session: Session, { page, bytes }: FoundPage, charges: Charges): Promise<InspectedPage> {
  const found = page.rows.flatMap(({ budget }) => {
    const field = fieldOf(budget)
    const row = bytes.get(field)
    return row === undefined ? [] : [{ field, bytes: row, reserved: budget.reserved }]
  })
  const now = await chargesNow(session, found, charges)
  const rows = page.rows.map((row) => {
    const charged = now.get(fieldOf(row.budget))
    return charged === undefined ? row : { ...row, charged }
  })
  return { ...page, rows }
}

interface FoundPage {
  readonly page: InspectedPage
  /** Of the rows that can be read, by field. */
  readonly bytes: ReadonlyMap<string, Buffer>
}

/** What stands on the leases of a page: (epoch, held), by the position of their row. @param flat list of (position, epoch, held) */
function leasesByRow(flat: readonly unknown[]): ReadonlyMap<number, readonly (readonly [unknown, unknown])[]> {
  const byRow = new Map<number, (readonly [unknown, unknown])[]>()
  for (let at = 0; at < flat.length; at += 3) {
    const position = number(flat[at])
    const lease = [flat[at + 1], flat[at + 2]] as const
    const onRow = byRow.get(position)
    if (onRow === undefined) byRow.set(position, [lease])
    else onRow.push(lease)
  }
  return byRow
}

function pageOf(
  found: readonly (readonly [unknown, unknown])[],
  leases: ReadonlyMap<number, readonly (readonly [unknown, unknown])[]>,
): FoundPage {
  const rows: InspectedRow[] = []
  const packed = new Map<string, Buffer>()
  const unreadable: UnreadableRow[] = []
  for (const [at, [member, bytes]] of found.entries()) {
    const name = rowNameOf(bytesOf(member))
    try {
      if (name === undefined) throw new InvariantError('its name in the index is none that this store writes')
      const row = bytesOrNone(bytes)
      rows.push(inspectedRow(name, row, leases.get(at) ?? []))
      if (row !== undefined) packed.set(fieldOf(name), row)
    } catch (error) {
      if (!(error instanceof InvariantError)) throw error
      unreadable.push({ ...(name ?? { key: text(member), period: 0 }), detail: error.message })
    }
  }
  return { page: { rows, unreadable }, bytes: packed }
}

/** @throws InvariantError when a value cannot be read */
function inspectedRow(
  name: RowName,
  bytes: Buffer | undefined,
  onRow: readonly (readonly [unknown, unknown])[],
): InspectedRow {
  if (bytes === undefined) throw new InvariantError('the index names it, and there is no row')
  const { row, leased, lessees } = unpackBudget(name, bytes)
  const leases = onRow
    .map(([epoch, held]): LeaseRow => ({ ...name, epoch: number(epoch), held: number(held) }))
    .toSorted((a, b) => a.epoch - b.epoch)
  const faults = leaseSumFaults({ leased, lessees }, leases)
  return { budget: row, leases, ...(faults.length === 0 ? {} : { faults }) }
}

/** Each owner once: a scan may answer one twice. */
async function owners(session: Session): Promise<readonly OwnerRow[]> {
  const found = new Map<number, OwnerRow>()
  for await (const [page] of scan(session, OWNER_PAGE, PAGE_OWNERS)) {
    const flat = list(page)
    for (let at = 0; at < flat.length; at += 3) {
      const epoch = number(flat[at])
      const label = bytesOrNone(flat[at + 2])
      found.set(epoch, unpackOwner(epoch, bytesOf(flat[at + 1]), label === undefined ? '' : text(label)))
    }
  }
  return [...found.values()].toSorted((a, b) => a.epoch - b.epoch)
}

/** Redis keeps them in no order: all are read before the first page. */
async function* counterPages(session: Session): AsyncGenerator<readonly CounterRow[]> {
  const found = new Map<string, CounterRow>()
  for await (const [page] of scan(session, COUNTER_PAGE, PAGE_COUNTERS)) {
    for (const [key, value] of pairs(page)) found.set(text(key), { key: text(key), value: number(value) })
  }
  const rows = [...found.values()].toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  for (let at = 0; at < rows.length; at += PAGE_COUNTERS) yield rows.slice(at, at + PAGE_COUNTERS)
}
