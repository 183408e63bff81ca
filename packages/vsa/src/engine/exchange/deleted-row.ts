import type { LeasedRow } from '../rows/leased-row.ts'
import type { ExchangeParts } from './exchange-parts.ts'

/** P6: what this owner knows of the row is forgotten. What was spent since the last answer is in no account. */
export function forgetDeleted({ leases, recollection, settings }: ExchangeParts, row: LeasedRow): void {
  const { held, key, window } = row
  const units = row.forget()
  leases.touch(row, held)
  recollection.drop(row)
  settings.emit({ type: 'deleted', key, period: window.start, units })
}
