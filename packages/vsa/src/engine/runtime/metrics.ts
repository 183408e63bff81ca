/**
 * What an engine counts as it goes. A class of plain number fields, made once, so that counting allocates nothing.
 *
 * The hot path counts nothing for an admission of one unit: the units spent follow from what is left of the lease, and so does the
 * number of operations, once `surplusUnits` says by how much the admissions of other costs exceed one unit each.
 */
export class Tally {
  /** Units spent from leases, net of refunds that lowered a delta, as collected so far at sends. */
  spentUnits = 0
  /** Sum of cost - 1 over all spending from leases. */
  surplusUnits = 0
  /** Refunds that lowered a delta: already taken out of what was spent. */
  unspentUnits = 0
  /** Admissions that were granted by the store, and their units. */
  takes = 0
  takenUnits = 0
  denials = 0
  deniedUnits = 0
  refunds = 0
  refundedUnits = 0
  refundsRefused = 0
  unaccounted = 0
  unaccountedUnits = 0
  counterAdds = 0
  exchanges = 0
  records = 0
  leaseRecords = 0
  /** Requests that wait for an answer now. */
  waiters = 0
}
