import type { LeaseRow } from './rows.ts'

/** The sums that a store keeps on a row beside its leases. */
export interface LeaseSums {
  /** Units of all leases. */
  readonly leased: number
  /** How many leases there are. */
  readonly lessees: number
}

/** Where the sums on a row are not those of its leases; empty when they are. */
export function leaseSumFaults({ leased, lessees }: LeaseSums, leases: readonly LeaseRow[]): readonly string[] {
  const held = leases.reduce((sum, lease) => sum + lease.held, 0)
  return [
    ...(leased === held ? [] : [`leased on the row is ${leased}, and its leases hold ${held}`]),
    ...(lessees === leases.length ? [] : [`lessees on the row is ${lessees}, and it has ${leases.length} leases`]),
  ]
}
