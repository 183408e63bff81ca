import type { Result } from '../compare/result.ts'
import { machineLine } from '../report/machine.ts'
import { CALLS, CONTENDER, OVER, SPEED, STORE } from './columns.ts'
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
  const { columns, rows: cells } = cellsOf(rows, [CONTENDER, STORE, SPEED, CALLS, OVER])
  return [
    `One hot key, \`npm run bench -- --only hot-key\`, ${machineLine(result.machine)}:`,
    markdownTable(columns, cells),
    picture,
  ].join('\n\n')
}
