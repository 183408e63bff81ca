import type { UnreadableRow } from '../core/inspection.ts'
import type { ListedRow } from '../index.ts'
import { type CsvTarget, csvCell } from './csv.ts'
import { count, counted, periodCells, time } from './format.ts'
import { printable } from './safe-text.ts'
import { CommandError, type Report } from './report.ts'
import { assertReadable, inspecting, unknownBudget, visitRows } from './store-reader.ts'
import { placeOf } from './stores/place-of.ts'
import { columns, table } from './table.ts'

/** What one budget has used in one period, as the store has it. */
interface Usage {
  readonly key: string
  /** Start and end of the period, ms since 1970; null for a budget without windows. */
  readonly from: number | null
  readonly to: number | null
  readonly limit: number
  /** The limit; for credits, what was created and minted. */
  readonly minted: number
  readonly used: number
  /** Set aside by reservations that are not settled yet. */
  readonly reserved: number
  readonly burned: number
  /** Units that owners hold: they may have spent some of them since their last flush. */
  readonly leased: number
}

const COLUMNS = ['key', 'from', 'to', 'limit', 'minted', 'used', 'reserved', 'burned', 'leased'] as const

export interface UsageOptions extends Partial<CsvTarget> {
  readonly isCsv: boolean
  /** Rows of the table, from 1. CSV and JSON have every row. */
  readonly rowsMax: number
  /** Of the times in the table. Those in CSV are in UTC. */
  readonly timeZone: string
}

/**
 * What every budget has used in every period that the store still has, or those of one key: the quota is the invoice. Not `ok` when there are rows that
 * cannot be read.
 * @param address as `placeOf` takes it
 */
export async function usage(address: string, key: string | undefined, options: UsageOptions): Promise<Report> {
  const place = placeOf(address)
  const rows: Usage[] = []
  const unreadable: UnreadableRow[] = []
  await inspecting(place, async (inspection) => {
    assertReadable(place, await inspection.textDamage())
    await visitRows(
      inspection,
      { row: (row) => rows.push(usageOf(row)), unreadable: (row) => unreadable.push(row) },
      key,
    )
    if (key !== undefined && rows.length + unreadable.length === 0) throw await unknownBudget(place, inspection, key)
  })
  // A CSV has rows alone: what is missing there must not go unseen.
  const [bad] = unreadable
  if (bad !== undefined && options.isCsv)
    throw new CommandError('row_damaged', `a row of '${bad.key}' cannot be read: ${bad.detail}; see vsa verify`)
  return {
    ok: unreadable.length === 0,
    json: { store: place.name, usage: rows, unreadable },
    text: options.isCsv ? csvOf(rows, options) : textOf(rows, unreadable.length, options),
  }
}

function usageOf({ budget, leases }: ListedRow): Usage {
  const { key, period, endsAt, limit, minted, used, reserved, burned } = budget
  const leased = leases.reduce((sum, { held }) => sum + held, 0)
  return { key, from: endsAt === null ? null : period, to: endsAt, limit, minted, used, reserved, burned, leased }
}

/** As RFC 4180 says, with a header, and lines that end in LF. Times are ISO 8601 in UTC. Keys are as they are, unless the options say otherwise. */
function csvOf(rows: readonly Usage[], { isTerminal = false, isForSpreadsheet = false }: UsageOptions): string {
  const lines = rows.map(({ key, from, to, limit, minted, used, reserved, burned, leased }) => {
    const times = [from, to].map((ms) => (ms === null ? '' : time(ms)))
    const name = csvCell(key, { isTerminal, isForSpreadsheet })
    return [name, ...times, limit, minted, used, reserved, burned, leased].join(',')
  })
  return [COLUMNS.join(','), ...lines].join('\n')
}

function textOf(rows: readonly Usage[], unreadable: number, { rowsMax, timeZone }: UsageOptions): string {
  if (rows.length + unreadable === 0) return 'The store has no budget.'
  const shown = table(
    columns('key', 'from', 'to', '>limit', '>minted', '>used', '>reserved', '>burned', '>leased'),
    rows.slice(0, rowsMax).map(({ key, from, to, limit, minted, used, reserved, burned, leased }) => {
      const units = [limit, minted, used, reserved, burned, leased].map(count)
      return [printable(key), ...periodCells(from ?? 0, to, timeZone), ...units]
    }),
  )
  const more = rows.length > rowsMax ? `\n... and ${counted(rows.length - rowsMax, 'more row')}: see --rows` : ''
  const bad = unreadable > 0 ? `\n${counted(unreadable, 'row')} cannot be read: see vsa verify` : ''
  return `${shown}${more}${bad}`
}
