const NUMBERS = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
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

/** Ms since 1970 as ISO 8601, without the milliseconds when they are 0; a dash for null. */
export function time(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms) || Math.abs(ms) > 8_640_000_000_000_000) return '-'
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

/** The start of a period; a dash for a budget without windows. */
export function period(start: number): string {
  return start === 0 ? '-' : time(start)
}

/** A duration in the largest unit that gives a short number: `250 ms`, `10 s`, `1 min`, `3.4 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ratio(ms)} ms`
  if (ms < 60_000) return `${ratio(ms / 1_000)} s`
  if (ms < 3_600_000) return `${ratio(ms / 60_000)} min`
  return ms < 172_800_000 ? `${ratio(ms / 3_600_000)} h` : `${ratio(ms / 86_400_000)} days`
}

/** Text from a log or a store, safe for a terminal: cut to `lengthMax` characters, with control characters escaped. */
export function printable(text: string, lengthMax = 60): string {
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}
