import { Temporal } from 'temporal-polyfill'

const NUMBERS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
/** The latest time that there is: +275760-09-13. */
const TIME_MAX_MS = 8_640_000_000_000_000
const RATIOS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })

/** A whole number with thousands separators. */
export function count(value: number): string {
  return NUMBERS.format(value)
}

/** A ratio with one decimal; a dash where it has no meaning. */
export function ratio(value: number): string {
  return Number.isFinite(value) ? RATIOS.format(value) : '-'
}

/** A number followed by its noun, in the plural unless the number is 1. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** Ms since 1970 as ISO 8601, without the milliseconds when they are 0; a dash for null. In a zone other than UTC with its offset. */
export function time(ms: number | null, timeZone = 'UTC'): string {
  if (ms === null || !Number.isInteger(ms) || Math.abs(ms) > TIME_MAX_MS) return '-'
  const fractionalSecondDigits = ms % 1_000 === 0 ? 0 : 3
  const instant = Temporal.Instant.fromEpochMilliseconds(ms)
  return instant.toString({ fractionalSecondDigits, ...(timeZone === 'UTC' ? {} : { timeZone }) })
}

/** The start and the end of a period; dashes for a budget without windows, which has no end. */
export function periodCells(start: number, endsAt: number | null, timeZone?: string): readonly [string, string] {
  return endsAt === null ? ['-', '-'] : [time(start, timeZone), time(endsAt, timeZone)]
}

/** The start of a period where the end is not known; a dash for a budget without windows. */
export function periodStart(start: number, timeZone?: string): string {
  return start === 0 ? '-' : time(start, timeZone)
}

/** A duration in the largest unit that gives a short number: `250 ms`, `10 s`, `1 min`, `3.4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ratio(ms)} ms`
  if (ms < 60_000) return `${ratio(ms / 1_000)} s`
  if (ms < 3_600_000) return `${ratio(ms / 60_000)} min`
  return ms < 172_800_000 ? `${ratio(ms / 3_600_000)} h` : `${ratio(ms / 86_400_000)} days`
}
