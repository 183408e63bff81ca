/** Whole seconds until then, rounded up; never below 0. */
export function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((atMs - nowMs) / 1_000))
}

/**
 * `Retry-After`: whole seconds, rounded up, at least 1.
 * @param retryAfterMs of the denial
 * @param resetSeconds what the same response says as `t`: it is never earlier
 */
export function retryAfterSeconds(retryAfterMs: number, resetSeconds = 0): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1_000), resetSeconds)
}
