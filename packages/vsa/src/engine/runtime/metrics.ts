/**
 * What an engine counts. A class of plain number fields, made once, so that counting allocates nothing.
 *
 * The hot path counts nothing for an admission of one unit: one more addition would cost it a fifth of its speed. The units spent follow from what is left
 * of the lease when it is sent, and the number of admissions from those units and from `surplusUnits`.
 */
export class Metrics {
  /** Units spent from leases up to the last sends, net of refunds that lowered a delta. */
  spentUnits = 0
  /** Sum of cost - 1 over all spending from leases. */
  surplusUnits = 0
  /** Admissions from leases and their units, as `stats()` has told: numbers that must not fall. */
  spendsTold = 0
  spentTold = 0
  /** Refunds that lowered a delta: already subtracted from what was spent. */
  unspentUnits = 0
  /** Admissions that the store granted, and their units. */
  takes = 0
  takenUnits = 0
  denials = 0
  deniedUnits = 0
  /** Units that a policy on trial would have denied. */
  shadowDeniedUnits = 0
  refunds = 0
  refundedUnits = 0
  refundsRefused = 0
  unaccounted = 0
  unaccountedUnits = 0
  /** Used beyond a reservation, and not there. */
  uncoveredUnits = 0
  counterAdds = 0
  exchanges = 0
  records = 0
  leaseRecords = 0
  /** Reads of rows: of `peek`, and of rows that were seen exhausted. */
  reads = 0
  /** Admissions that wait for an answer now. */
  waiters = 0
  /** Other calls that wait for an answer now: mints, counter reads, flushes, peeks, `ready`. */
  calls = 0

  /** All that wait, which `waitersMax` bounds. */
  get waiting(): number {
    return this.waiters + this.calls
  }

  /** Requests of so many units each, denied. */
  countDenial(units: number, requests = 1): void {
    this.denials += requests
    this.deniedUnits += requests * units
  }

  /** It was no denial of a caller. */
  takeBackDenial(units: number): void {
    this.denials -= 1
    this.deniedUnits -= units
  }

  /** P7: they were admitted. @param wasCounted as denials */
  countShadow(units: number, requests: number, wasCounted: boolean): void {
    if (wasCounted) this.deniedUnits -= requests * units
    else this.denials += requests
    this.shadowDeniedUnits += requests * units
  }
}
