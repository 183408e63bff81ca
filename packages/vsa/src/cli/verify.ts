import type { Inspection } from '../core/inspection.ts'
import { count, counted, periodCells, periodStart } from './format.ts'
import type { Report } from './report.ts'
import { escaped, printable } from './safe-text.ts'
import { assertReadable, countersOf, inspecting, isStoreDamage, visitRows } from './store-reader.ts'
import { type FaultyRow, isBalanced, RowTotals, type StoreTotals } from './store-totals.ts'
import { placeOf } from './stores/place-of.ts'
import type { StorePlace } from './stores/store-place.ts'
import { unlessUnreadableLater } from './stores/unless-unreadable.ts'
import { columns, facts, table } from './table.ts'

/** Findings of each kind that are printed as text. JSON has them all. */
const PRINTED_MAX = 50

/** What `verify` found in a store. */
interface Findings {
  readonly totals: StoreTotals
  /** Damage beside the rows, by the integrity check of the store and of the tables that are in no sum; empty when it is sound. */
  readonly damage: readonly string[]
  /** Why not every row could be visited; null when all were. */
  readonly stoppedBy: string | null
}

/**
 * L2, R2, on a database that may be in use: checks that `minted = used + reserved + pool + burned + leased` in every row, that `reserved`
 * is what its reservations have (R2), and that the store is sound. A
 * damaged store is a finding, also where its rows add up.
 * @param address as `placeOf` takes it
 */
export async function verify(address: string): Promise<Report> {
  const place = placeOf(address)
  const findings = await findingsOf(place)
  const { totals, damage, stoppedBy } = findings
  const ok = isBalanced(totals) && damage.length === 0
  return { ok, json: { ok, store: place.name, ...totals, damage, stoppedBy }, text: textOf(place, findings) }
}

/** Damage is a finding also where it ends the reading. @throws CommandError, StoreError for every other failure */
async function findingsOf(place: StorePlace): Promise<Findings> {
  const sum = new RowTotals()
  let damage: readonly string[] = []
  try {
    await inspecting(place, async (inspection) => {
      const text = await inspection.textDamage()
      damage = [...(await inspection.integrity()), ...text]
      assertReadable(place, text)
      damage = [...damage, ...(await tableDamage(inspection)), ...(await reservationDamage(inspection))]
      await visitRows(inspection, sum)
    })
  } catch (error) {
    if (!isStoreDamage(place, error)) throw error
    return { totals: sum.totals, damage: damage.length === 0 ? [error.message] : damage, stoppedBy: error.message }
  }
  return { totals: sum.totals, damage, stoppedBy: null }
}

/** Of the tables that are in no sum. */
async function tableDamage(inspection: Inspection): Promise<readonly string[]> {
  const owners = await unlessUnreadableLater(() => inspection.owners())
  const counters = await unlessUnreadableLater(() => countersOf(inspection))
  return Object.entries({ owners, counters }).flatMap(([table, rows]) =>
    typeof rows === 'string' ? [`the ${table} cannot be read: ${rows}`] : [],
  )
}

async function reservationDamage(inspection: Inspection): Promise<readonly string[]> {
  const findings: string[] = []
  for await (const { unreadable } of inspection.reservationPages()) {
    for (const { key, id, detail } of unreadable)
      findings.push(`the reservation ${JSON.stringify(id)} of ${JSON.stringify(key)} cannot be read: ${detail}`)
  }
  return findings
}

function textOf({ name, verdicts }: StorePlace, { totals, damage, stoppedBy }: Findings): string {
  const all = [faultText(totals), unreadableText(totals), damageText(verdicts.damaged, damage), stoppedText(stoppedBy)]
  const found = all.filter((text) => text !== '')
  const aside = totals.reserved > 0 ? ' + reserved' : ''
  const allIsWell = `Every row adds up: minted = used${aside} + pool + burned + leased. ${verdicts.sound}`
  return [sumText(name, totals), ...(found.length === 0 ? [allIsWell] : found)].join('\n')
}

function sumText(name: string, { rows, minted, used, reserved, pool, burned, leased }: StoreTotals): string {
  return [
    `${escaped(name)}: ${counted(rows, 'row')}`,
    facts([
      ['minted', count(minted)],
      ['used', count(used)],
      ...(reserved > 0 ? [['reserved', count(reserved)] as const] : []),
      ['pool', count(pool)],
      ['burned', count(burned)],
      ['leased', count(leased)],
    ]),
  ].join('\n')
}

function faultText({ faulty }: StoreTotals): string {
  if (faulty.length === 0) return ''
  return [
    `${counted(faulty.length, 'row')} ${faulty.length === 1 ? 'does' : 'do'} not add up:`,
    table(
      columns('key', 'from', 'to', '>minted', '>used', '>reserved', '>pool', '>burned', '>leased', 'what is wrong'),
      faulty.slice(0, PRINTED_MAX).map(faultCells),
    ),
    ...moreText(faulty),
  ].join('\n')
}

function faultCells(row: FaultyRow): readonly string[] {
  const { minted, used, reserved, pool, burned, leased } = row
  return [
    printable(row.key),
    ...periodCells(row.period, row.endsAt),
    ...[minted, used, reserved, pool, burned, leased].map(count),
    row.faults.join('; '),
  ]
}

function unreadableText({ unreadable }: StoreTotals): string {
  if (unreadable.length === 0) return ''
  return [
    `${counted(unreadable.length, 'row')} cannot be read, and ${unreadable.length === 1 ? 'is' : 'are'} in no sum:`,
    table(
      columns('key', 'from', 'what is wrong'),
      unreadable
        .slice(0, PRINTED_MAX)
        .map(({ key, period, detail }) => [printable(key), periodStart(period), escaped(detail)]),
    ),
    ...moreText(unreadable),
  ].join('\n')
}

function damageText(verdict: string, damage: readonly string[]): string {
  if (damage.length === 0) return ''
  return [verdict, ...damage.slice(0, PRINTED_MAX).map((finding) => `  ${escaped(finding)}`), ...moreText(damage)].join(
    '\n',
  )
}

function stoppedText(stoppedBy: string | null): string {
  return stoppedBy === null ? '' : `The other rows could not be read: ${escaped(stoppedBy)}`
}

function moreText(findings: readonly unknown[]): readonly string[] {
  const more = findings.length - PRINTED_MAX
  return more > 0 ? [`and ${count(more)} more`] : []
}
