import { type FaultyRow, type StoreTotals, readTotals } from './store-totals.ts'
import { count, counted, periodCells } from './format.ts'
import { escaped, printable } from './safe-text.ts'
import type { Report } from './report.ts'
import { columns, facts, table } from './table.ts'

/** Faulty rows printed as text. JSON has them all. */
const FAULTY_MAX = 50

/** L2, on a database that may be in use: checks that `minted = used + pool + burned + leased` in every row. */
export async function verify(path: string): Promise<Report> {
  const totals = await readTotals(path)
  const ok = totals.faulty.length === 0
  return { ok, json: { ok, store: path, ...totals }, text: [sumText(path, totals), faultText(totals)].join('\n') }
}

function sumText(path: string, { rows, minted, used, pool, burned, leased }: StoreTotals): string {
  return [
    `${escaped(path)}: ${counted(rows, 'row')}`,
    facts([
      ['minted', count(minted)],
      ['used', count(used)],
      ['pool', count(pool)],
      ['burned', count(burned)],
      ['leased', count(leased)],
    ]),
  ].join('\n')
}

function faultText({ faulty }: StoreTotals): string {
  if (faulty.length === 0) return 'Every row adds up: minted = used + pool + burned + leased.'
  const more = faulty.length - FAULTY_MAX
  return [
    `${counted(faulty.length, 'row')} ${faulty.length === 1 ? 'does' : 'do'} not add up:`,
    table(
      columns('key', 'from', 'to', '>minted', '>used', '>pool', '>burned', '>leased', 'what is wrong'),
      faulty.slice(0, FAULTY_MAX).map(faultCells),
    ),
    ...(more > 0 ? [`and ${count(more)} more`] : []),
  ].join('\n')
}

function faultCells(row: FaultyRow): readonly string[] {
  const { minted, used, pool, burned, leased } = row
  return [
    printable(row.key),
    ...periodCells(row.period, row.endsAt),
    ...[minted, used, pool, burned, leased].map(count),
    row.faults.join('; '),
  ]
}
