import type { LatencyRow, Result } from '../compare/result.ts'
import type { Row } from '../compare/row.ts'
import { short, verdict } from '../report/format.ts'
import { CALLS, COLUMNS, CONTENDER, OVER, PROCESSES, SPEED, STORE, type Column } from './columns.ts'
import { STORE_NAMES } from './plots/theme.ts'

/** A table of the report: the same for the terminal and for the page. */
export interface Table {
  readonly title: string
  /** That prints it again. */
  readonly command: string
  readonly note?: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Workloads with a table of all columns; of the others the speeds are told. */
const FULL_TABLES = ['hot-key', 'article', 'flash-sale', 'deny-heavy']

export function tablesOf(result: Result): readonly Table[] {
  const workloads = [...new Set(result.rows.map(({ workload }) => workload))]
  const inFull = result.settings.isQuick ? workloads : workloads.filter((name) => FULL_TABLES.includes(name))
  return [
    ...inFull.map((workload) => fullTable(workload, rowsOn(result, workload))),
    ...matrices(result, workloads),
    ...(result.latencies.length === 0 ? [] : [latencyTable(result.latencies)]),
    ...(result.shared.length === 0 ? [] : [sharedTable(result.shared)]),
    ...(result.floors.length === 0 ? [] : [floorTable(result)]),
  ]
}

export function rowsOn({ rows }: Result, workload: string): readonly Row[] {
  return rows.filter((row) => row.workload === workload)
}

export function cellsOf(rows: readonly Row[], columns: readonly Column[]): Pick<Table, 'columns' | 'rows'> {
  return { columns: columns.map(({ title }) => title), rows: rows.map((row) => columns.map(({ text }) => text(row))) }
}

function fullTable(workload: string, rows: readonly Row[]): Table {
  return {
    title: workload,
    command: `npm run bench -- --only ${workload}`,
    note: 'Rows, bytes and syncs are those of 1,000 admissions; a dash is not measured.',
    ...cellsOf(rows, COLUMNS),
  }
}

/** Of each contender and workload one figure. */
function matrices(result: Result, workloads: readonly string[]): readonly Table[] {
  if (workloads.length < 2) return []
  const contenders = [...new Set(result.rows.map(({ contender }) => contender))]
  const matrix = (title: string, { text }: Column): Table => ({
    title,
    command: 'npm run bench',
    columns: ['contender', ...workloads],
    rows: contenders.map((name) => [
      name,
      ...workloads.map((workload) => {
        const row = rowsOn(result, workload).find(({ contender }) => contender === name)
        return row === undefined ? '' : text(row)
      }),
    ]),
  })
  return [
    matrix('decisions/s by workload', SPEED),
    matrix('store calls for 1,000 admissions, by workload', CALLS),
    matrix('units over-admitted, by workload', OVER),
  ]
}

function latencyTable(rows: readonly LatencyRow[]): Table {
  return {
    title: 'open loop: the workload article at a fixed rate',
    command: 'npm run bench -- --only article',
    note: 'us. From due: from the moment at which an operation was due, so that what delays the next ones is in their times. From call: of the call itself.',
    columns: [
      ...['contender', 'store', 'offered/s', 'kept up', 'from due: p50', 'p99', 'p99.9'],
      ...['from call: p50', 'p99', 'p99.9', 'store calls/s'],
    ],
    rows: rows.map((row) => [
      row.title,
      STORE_NAMES[row.store],
      short(row.offeredPerSecond),
      row.isKeptUp ? 'yes' : `${short(row.answeredPerSecond)}/s`,
      ...[row.fromDueUs, row.fromCallUs].flatMap(({ p50, p99, p999 }) => [p50, p99, p999].map(short)),
      short(row.storeCallsPerSecond),
    ]),
  }
}

function sharedTable(rows: readonly Row[]): Table {
  return {
    title: 'processes on one store: the workload no-churn',
    command: 'npm run bench -- --processes N',
    ...cellsOf(rows, [PROCESSES, CONTENDER, STORE, SPEED, CALLS, OVER]),
  }
}

function floorTable({ floors }: Result): Table {
  return {
    title: 'figures to reach',
    command: 'npm run bench',
    columns: ['figure', 'seen', 'wanted', ''],
    rows: floors.map(({ name, value, bound, limit, met }) => [
      name,
      short(Number(value.toPrecision(4))),
      `${bound} ${short(limit)}`,
      verdict(met),
    ]),
  }
}
