import type { Result } from '../compare/result.ts'
import { machineLine } from '../report/machine.ts'
import { table } from '../report/table.ts'
import { tablesOf } from './report.ts'

/** For the terminal. */
export function textReport(result: Result): string {
  const parts = [
    [result.command, machineLine(result.machine), ...result.stores].join('\n'),
    ...tablesOf(result).map(({ title, note, columns, rows }) =>
      [`== ${title}`, ...(note === undefined ? [] : [note]), table(columns, rows)].join('\n'),
    ),
    ...result.skipped.map((text) => `SKIPPED ${text}`),
    ...result.failures.map(
      ({ workload, contender, problems }) => `REFUSED ${workload}, ${contender}: ${[...new Set(problems)].join('; ')}`,
    ),
  ]
  return parts.join('\n\n')
}
