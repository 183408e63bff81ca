import { orDash, short } from '../report/format.ts'
import type { Row } from '../compare/row.ts'
import { STORE_NAMES } from './plots/theme.ts'

/** A column of the tables of rows. */
export interface Column {
  readonly title: string
  readonly text: (row: Row) => string
}

const DURABLE = { answer: 'when answered', bounded: 'but for a lease', no: 'no' }
const MEGABYTE = 1_000_000

/** Below a hundredth two digits: 0.00036, and not 0.00. */
function fine(value: number): string {
  return value > 0 && value < 0.01 ? value.toFixed(1 - Math.floor(Math.log10(value))) : short(value)
}

export const CONTENDER: Column = { title: 'contender', text: ({ title }) => title }
export const STORE: Column = { title: 'store', text: ({ store }) => STORE_NAMES[store] }
export const PROCESSES: Column = { title: 'processes', text: ({ processes }) => String(processes) }
export const SPEED: Column = { title: 'decisions/s', text: (row) => short(row.decisionsPerSecond.median) }
export const CALLS: Column = {
  title: 'store calls for 1,000 admissions',
  text: (row) => fine(row.storeCallsPerThousandAdmissions),
}
/** Where there is more than all ask for, nothing can be over-admitted. */
export const OVER: Column = {
  title: 'units over-admitted',
  text: (row) => (row.deniedShare === 0 && row.overAdmittedUnits === 0 ? '-' : short(row.overAdmittedUnits)),
}

/** All that is measured of a row in the closed loop. */
export const COLUMNS: readonly Column[] = [
  CONTENDER,
  STORE,
  { title: 'survives a crash', text: ({ durable }) => DURABLE[durable] },
  SPEED,
  {
    title: 'least to most',
    text: ({ decisionsPerSecond: { low, high } }) => `${short(low)} to ${short(high)}`,
  },
  CALLS,
  OVER,
  { title: 'CPU us', text: (row) => short(row.cpuUsPerDecision) },
  { title: 'server CPU us', text: (row) => orDash(row.serverCpuUsPerDecision, short) },
  { title: 'rows', text: (row) => orDash(row.rowsPerThousandAdmissions, fine) },
  { title: 'bytes', text: (row) => orDash(row.bytesWrittenPerThousandAdmissions, fine) },
  { title: 'syncs', text: (row) => orDash(row.syncsPerThousandAdmissions, fine) },
  { title: 'operations for each exchange', text: (row) => orDash(row.operationsPerExchange, short) },
  { title: 'burned', text: (row) => short(row.burnedUnits) },
  { title: 'MB', text: (row) => (row.memoryBytes / MEGABYTE).toFixed(0) },
]
