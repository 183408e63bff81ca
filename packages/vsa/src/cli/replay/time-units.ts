/*
 * A number from 1e11 to 1e14 is in ms from 1973 to 5138. In seconds, µs and ns the same times are numbers of other sizes, so that the size
 * tells the unit. Below 1e11 a number may be in seconds, or in ms of a log that counts from 0.
 */
const MS_FROM = 1e11
const MICROSECONDS_FROM = 1e14
const NANOSECONDS_FROM = 1e17
const TIMES_END = 1e20
/** In seconds, this is in 1973. A log that begins below it counts in ms from 0. */
const SECONDS_FROM = 1e8

/** Times of a log that were numbers in another unit than ms. */
export interface ConvertedTimes {
  readonly seconds: number
  readonly microseconds: number
  readonly nanoseconds: number
}

/** Reads the times of one log that are numbers. Logs mix units: each number is taken in the unit that its size shows. */
export class TimeUnits {
  readonly #converted = { seconds: 0, microseconds: 0, nanoseconds: 0 }
  #countsFromZero: boolean | undefined

  get converted(): ConvertedTimes {
    return { ...this.#converted }
  }

  /** Ms since 1970; null when the number is no time. */
  msOf(at: number): number | null {
    if (!(at >= 0 && at < TIMES_END)) return null
    this.#countsFromZero ??= at < SECONDS_FROM
    if (at >= NANOSECONDS_FROM) return this.#convert('nanoseconds', at / 1e6)
    if (at >= MICROSECONDS_FROM) return this.#convert('microseconds', at / 1e3)
    if (at >= MS_FROM || at < SECONDS_FROM || this.#countsFromZero) return Math.floor(at)
    // Rounded to µs, because a fraction of a second is rarely exact.
    return this.#convert('seconds', Math.round(at * 1e6) / 1e3)
  }

  #convert(unit: keyof ConvertedTimes, ms: number): number {
    this.#converted[unit]++
    return Math.floor(ms)
  }
}
