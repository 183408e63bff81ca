/** What a run did, counted by the loop itself: the books are held against it afterwards. */
export interface Counted {
  readonly operations: number
  readonly admittedUnits: number
  readonly refundedUnits: number
}

interface VariantFacts {
  readonly name: string
  /** The variant whose speed this one's is divided by; null for a base line. */
  readonly base: string | null
  /** The least ratio that will do; null where none is promised. */
  readonly floor: number | null
  /** It spends from VSA's budgets: what it counts must be in the books. */
  readonly spends: boolean
}

/** One way of doing the work. `run` goes over all keys that many times. */
export type Variant = SyncVariant | AwaitingVariant

interface SyncVariant extends VariantFacts {
  readonly awaits: false
  readonly run: (rounds: number) => Counted
}

interface AwaitingVariant extends VariantFacts {
  readonly awaits: true
  readonly run: (rounds: number) => Promise<Counted>
}

/** One decision an operation, and none given back. */
export function admitted(operations: number, units: number): Counted {
  return { operations, admittedUnits: units, refundedUnits: 0 }
}
