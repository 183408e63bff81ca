/** What `consume` and the others resolve to, and what `consume` rejects with to say denied. Never an Error. */
export class RateLimiterRes {
  /** Points that are left in the present period. */
  readonly remainingPoints: number
  /** The time until the period or the block ends, in ms; -1: never. */
  readonly msBeforeNext: number
  /** Points consumed in the present period, by all processes as of the last exchange. Of a denial: what it would have come to. */
  readonly consumedPoints: number
  /** Nothing was consumed in the period before, as far as this process knows. */
  readonly isFirstInDuration: boolean

  constructor(remainingPoints = 0, msBeforeNext = 0, consumedPoints = 0, isFirstInDuration = false) {
    this.remainingPoints = remainingPoints
    this.msBeforeNext = msBeforeNext
    this.consumedPoints = consumedPoints
    this.isFirstInDuration = isFirstInDuration
  }

  toString(): string {
    return JSON.stringify(this)
  }
}
