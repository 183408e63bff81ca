import type { DenialReason } from '../../core/decision.ts'

/** Why units were not admitted. `lease`: `tryAdmit` found no lease that covers them, and does not know why. */
export type CountedReason = DenialReason | 'lease'

/**
 * What an engine counts, and what each policy of it counts. A class of plain number fields, made once, so that counting allocates nothing.
 *
 * The hot path counts nothing for an admission of one unit: one more addition would cost it a fifth of its speed. The units spent follow from what is left
 * of the lease when it is sent, and the number of admissions from those units and from `surplusUnits`.
 */
export class Metrics {
  /** As in `PolicyStats`; empty of what belongs to no policy. */
  readonly policy: string
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
  /** All that were not admitted when they were decided, with those of policies on trial. */
  denials = 0
  deniedUnits = 0
  /** Units that a policy on trial would have denied. */
  shadowDeniedUnits = 0
  /** Admissions of policies on trial that would have been denied, or would have failed. */
  shadows = 0
  /** Requests that threw an error of VSA or of the store. */
  failures = 0
  /** What callers were told, by reason. */
  readonly denied: Record<CountedReason, number> = {
    ...{ exhausted: 0, reserved: 0, 'over-limit': 0, refunded: 0, unavailable: 0, lease: 0 },
  }
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

  constructor(policy = '') {
    this.policy = policy
  }

  /** All that wait, which `waitersMax` bounds. */
  get waiting(): number {
    return this.waiters + this.calls
  }

  /** Admissions from leases and their units so far: numbers that never fall, though units are counted later than their surplus. */
  tellSpends(unsentUnits: number): void {
    const units = this.spentUnits + unsentUnits + this.unspentUnits
    this.spentTold = Math.max(this.spentTold, units)
    this.spendsTold = Math.max(this.spendsTold, units - this.surplusUnits)
  }

  /** Adds what budgets count. */
  add(more: Metrics): void {
    this.spentUnits += more.spentUnits
    this.surplusUnits += more.surplusUnits
    this.unspentUnits += more.unspentUnits
    this.takes += more.takes
    this.takenUnits += more.takenUnits
    this.denials += more.denials
    this.deniedUnits += more.deniedUnits
    this.shadowDeniedUnits += more.shadowDeniedUnits
    this.refunds += more.refunds
    this.refundedUnits += more.refundedUnits
    this.unaccounted += more.unaccounted
    this.unaccountedUnits += more.unaccountedUnits
  }

  /** Requests of so many units each, denied. */
  countDenial(units: number, requests = 1): void {
    this.denials += requests
    this.deniedUnits += requests * units
  }

  /** It was no denial of a caller. */
  takeBackDenial(units: number, reason: DenialReason): void {
    this.denials -= 1
    this.deniedUnits -= units
    this.denied[reason] -= 1
  }

  /** P7: they were admitted. @param wasCounted as denials */
  countShadow(units: number, requests: number, wasCounted: boolean): void {
    if (wasCounted) this.deniedUnits -= requests * units
    else this.denials += requests
    this.shadows += requests
    this.shadowDeniedUnits += requests * units
  }
}
