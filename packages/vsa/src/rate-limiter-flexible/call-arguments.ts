/** The last argument of the calls. */
export interface CallOptions {
  /** Seconds. Periods are fixed here: only the limiter's own duration is taken. */
  readonly customDuration?: number | undefined
}

/** @throws RangeError that names the argument */
export function assertPoints(name: string, value: unknown): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new RangeError(`${name} must be a whole number from 0 to 2^53 - 1, got ${String(value)}`)
}

/** @throws RangeError for another duration than the limiter's */
export function assertSameDuration(options: CallOptions | undefined, duration: number): void {
  const { customDuration = duration } = options ?? {}
  if (customDuration === duration) return
  throw new RangeError(
    `customDuration must be the duration of the limiter, ${duration}, got ${customDuration}: make a limiter with a prefix of its own for each duration`,
  )
}
