/** What a run did, counted by the loop itself. The books are compared with it afterwards. */
export interface Counted {
  readonly operations: number
  readonly admittedUnits: number
  readonly refundedUnits: number
}

interface VariantFacts {
  readonly name: string
  /** The variant that this one is compared with; null for a base line. */
  readonly base: string | null
  /** The least ratio promised; null for none. */
  readonly floor: number | null
  /** Whether it spends from the budgets of VSA, so that its count must be in the books. */
  readonly spends: boolean
}

/** One way of doing the work. `run` goes over all keys `rounds` times. */
export type Variant = SyncVariant | AwaitingVariant

interface SyncVariant extends VariantFacts {
  readonly awaits: false
  readonly run: (rounds: number) => Counted
}

interface AwaitingVariant extends VariantFacts {
  readonly awaits: true
  readonly run: (rounds: number) => Promise<Counted>
}

/** The count of a loop that refunds nothing. */
export function admitted(operations: number, units: number): Counted {
  return { operations, admittedUnits: units, refundedUnits: 0 }
}
