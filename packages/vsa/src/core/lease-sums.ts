import type { LeaseRow } from './rows.ts'
import { isUnits } from './units.ts'

/** The sums that a store keeps on a row beside its leases. */
export interface LeaseSums {
  /** Units of all leases. */
  readonly leased: number
  /** How many leases there are. */
  readonly lessees: number
}

/** Whether these may be sums of leases: there are units where there are leases, and only there. Of all leases on a row, or of those that are left besides some. */
export function areLeaseSums({ leased, lessees }: LeaseSums): boolean {
  return isUnits(leased) && isUnits(lessees) && (lessees === 0) === (leased === 0)
}

/** The sums on a row without these leases; null where they cannot be sums of what is left. */
export function withoutLeases({ leased, lessees }: LeaseSums, leases: readonly LeaseRow[]): LeaseSums | null {
  const rest = {
    leased: leases.reduce((units, { held }) => units - held, leased),
    lessees: lessees - leases.length,
  }
  return areLeaseSums(rest) ? rest : null
}

/** Where the sums on a row are not those of its leases; empty when they are. */
export function leaseSumFaults({ leased, lessees }: LeaseSums, leases: readonly LeaseRow[]): readonly string[] {
  const held = leases.reduce((sum, lease) => sum + lease.held, 0)
  return [
    ...(leased === held ? [] : [`leased on the row is ${leased}, and its leases hold ${held}`]),
    ...(lessees === leases.length ? [] : [`lessees on the row is ${lessees}, and it has ${leases.length} leases`]),
  ]
}
