import { short } from '../../report/format.ts'

/** Least distance of two labels, in pixels. */
const LINE_PX = 15

/** A label beside the end of a line, on a logarithmic axis. */
export interface EndLabel {
  readonly text: string
  readonly color: string
  /** Of the end of its line. */
  readonly y: number
}

/**
 * Moves labels apart, so that none covers another.
 * @param domain of the axis @param heightPx its length
 */
export function apart<Label extends EndLabel>(
  labels: readonly Label[],
  [low, high]: readonly [number, number],
  heightPx: number,
): readonly Label[] {
  const perPx = Math.log(high / low) / heightPx
  const sorted = labels
    .map((label) => ({ label, px: Math.log(Math.max(low, label.y) / low) / perPx }))
    .sort((a, b) => a.px - b.px)
  for (let at = 1; at < sorted.length; at += 1) {
    const [below, here] = [sorted[at - 1], sorted[at]]
    if (below !== undefined && here !== undefined) here.px = Math.max(here.px, below.px + LINE_PX)
  }
  // What was pushed over the upper end comes down, and pushes those below it.
  let ceiling = heightPx
  for (const one of sorted.toReversed()) {
    one.px = Math.min(one.px, ceiling)
    ceiling = one.px - LINE_PX
  }
  return sorted.map(({ label, px }) => ({ ...label, y: low * Math.exp(px * perPx) }))
}

/** Powers of ten that have all values between them. */
export function decades(values: readonly number[]): readonly [number, number] {
  const positive = values.filter((value) => value > 0)
  const low = 10 ** Math.floor(Math.log10(Math.min(...positive)))
  const high = 10 ** Math.ceil(Math.log10(Math.max(...positive)))
  return [low, Math.max(high, low * 10)]
}

export function ticksOf([low, high]: readonly [number, number]): readonly number[] {
  const count = Math.round(Math.log10(high / low))
  return Array.from({ length: count + 1 }, (_, at) => Number((low * 10 ** at).toPrecision(6)))
}

/** 1 k, and not 1.00 k. */
export function tickText(value: number): string {
  return short(value).replace(/\.0+(?= |$)/, '')
}
