/** What is asked of a limiter, as data. `traceOf` makes the operations of it. */
export interface Workload {
  readonly name: string
  /** One sentence for the reports. */
  readonly title: string
  readonly keys: Keys
  readonly limit: Limit
  readonly cost: Cost
  /** Which operations give back what an earlier one took. `none`: none; `half`: at random, every second one; `at-once`: each admission is given back by the next operation. */
  readonly churn: 'none' | 'half' | 'at-once'
  /** `time`: the operations are repeated for as long as wanted. `each-once`: it ends after the last key. `sold-out`: it ends when the stock is spent. */
  readonly ends: 'time' | 'each-once' | 'sold-out'
}

/** Which key the next operation is about. */
export type Keys =
  | { readonly kind: 'uniform'; readonly count: number }
  | { readonly kind: 'zipf'; readonly count: number; readonly exponent: number }
  /** One operation for each key: as many keys as operations. */
  | { readonly kind: 'each-once'; readonly count: number }
  /** `scarceShare` of the operations are about the first half of the keys, which have `scarceUnits` each and are soon exhausted. */
  | { readonly kind: 'scarce'; readonly count: number; readonly scarceShare: number; readonly scarceUnits: number }
  /** The addresses of an access log, in its order. */
  | { readonly kind: 'log'; readonly path: string }

/** `refill`: that many units a year, so that no period ends within a run. `stock`: that many once. */
export interface Limit {
  readonly kind: 'refill' | 'stock'
  readonly units: number
}

export type Cost =
  | { readonly kind: 'one' }
  | { readonly kind: 'between'; readonly low: number; readonly high: number }
  /** The most that the work may take is between the two and reserved; it is settled for 10 % to 90 % of that. */
  | { readonly kind: 'reserved'; readonly low: number; readonly high: number }
