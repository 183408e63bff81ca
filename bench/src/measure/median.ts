/** The median of at least one number. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** The quantile of at least one number, interpolated. @param share 0 to 1 */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}
