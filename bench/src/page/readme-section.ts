import type { Result } from '../compare/result.ts'
import { machineLine } from '../report/machine.ts'
import { orDash, short } from '../report/format.ts'
import { CALLS, type Column, CONTENDER, SPEED, STORE } from './columns.ts'
import { markdownTable } from './markdown-table.ts'
import { cellsOf, rowsOn } from './report.ts'

const SHOWN =
  /^(vsa-(leased|durable)-(sqlite|postgres|redis)|token-bucket-(sqlite|postgres|redis)|rate-limiter-flexible-redis|local-sync-redis)$/
const STORES = ['sqlite', 'postgres', 'redis']

/** One table and one plot, of one hot key. */
export function readmeSection(result: Result, picture: string): string {
  const rows = rowsOn(result, 'hot-key')
    .filter(({ contender }) => SHOWN.test(contender))
    .toSorted((a, b) => STORES.indexOf(a.store) - STORES.indexOf(b.store))
  // One hot key has more than all ask for: what is over-admitted shows where a stock ends.
  const sale = new Map(rowsOn(result, 'flash-sale').map((row) => [row.contender, row.overAdmittedUnits]))
  const over: Column = {
    title: 'units over-admitted in a sale',
    text: ({ contender }) => orDash(sale.get(contender) ?? null, short),
  }
  const { columns, rows: cells } = cellsOf(rows, [CONTENDER, STORE, SPEED, CALLS, over])
  return [
    `One hot key with a limit of 10^12 a year, and a sale of a fixed stock, by \`${result.command}\`, ${machineLine(result.machine)}:`,
    markdownTable(columns, cells),
    picture,
  ].join('\n\n')
}
