/** What every drop-in has. */
export interface DropInOptions {
  /**
   * The most units of a key and a window that a crash of one process may burn, 0 to the limit; 0: each admission waits for the store. Default: 1 % of the
   * limit, rounded up; at least 32 in windows up to an hour; never more than the limit.
   */
  readonly atRisk?: number
  /** Keys whose figures are kept in this process, 2 to 10,000,000. Those used longest ago are forgotten, which loses no count of a budget. Default 100,000. */
  readonly keysMax?: number
  /** Wall time, ms since 1970, for `open` with a clock of your own. Default `Date.now`. */
  readonly now?: () => number
}

export const KEYS_MAX = 100_000
const KEYS_MAX_MAX = 10_000_000

/** @throws TypeError, RangeError that name the option */
export function assertDropInOptions(options: DropInOptions, known: readonly string[]): void {
  const unknown = Object.keys(options).find((option) => !known.includes(option))
  if (unknown !== undefined) throw new TypeError(`options.${unknown} is not known; it has ${known.join(', ')}`)
  const { keysMax = KEYS_MAX, now } = options
  if (!Number.isSafeInteger(keysMax) || keysMax < 2 || keysMax > KEYS_MAX_MAX)
    throw new RangeError(`options.keysMax must be a whole number from 2 to ${KEYS_MAX_MAX}, got ${String(keysMax)}`)
  if (now !== undefined && typeof now !== 'function') throw new TypeError('options.now must be a function')
}
