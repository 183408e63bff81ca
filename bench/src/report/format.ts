const UNITS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** Three significant digits: 12.3 M, 4.56 k. */
export function short(value: number): string {
  const [size, letter] = UNITS.find(([size]) => Math.abs(value) >= size) ?? [1, '']
  const scaled = value / size
  const digits = Math.abs(scaled) >= 100 ? 0 : Math.abs(scaled) >= 10 ? 1 : 2
  const text = Number.isInteger(value) && letter === '' ? String(value) : scaled.toFixed(digits)
  return letter === '' ? text : `${text} ${letter}`
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A dash for null. */
export function orDash(value: number | null, format: (value: number) => string): string {
  return value === null ? '-' : format(value)
}

export function verdict(met: boolean | null): string {
  if (met === null) return ''
  return met ? 'met' : 'MISSED'
}
