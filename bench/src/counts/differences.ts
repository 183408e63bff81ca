import type { Counts } from './counts-of.ts'

/** What is compared, and what it is called. */
const FIGURES: Readonly<Record<keyof Counts, string>> = {
  operations: 'operations',
  exchanges: 'exchanges',
  reads: 'reads',
  records: 'records',
  leaseRecords: 'lease records',
  bytes: 'bytes',
}
export const HOW_TO_ACCEPT =
  'If that is meant, accept it with `npm run counts -- --update` and commit bench/counts/baseline.json.'

/**
 * What has changed in a case, for people: each figure as it was and as it is. Null: nothing. Fewer count as a change, too: a baseline that is too high
 * would let them come back.
 */
export function differences(name: string, was: Counts | undefined, is: Counts): string | null {
  if (was === undefined) return `${name}: it is not in the baseline.`
  const lines = figuresOf(was).flatMap((figure) => {
    if (is[figure] === was[figure]) return []
    const change = is[figure] - was[figure]
    const perMillion = `${millionth(was, figure)} → ${millionth(is, figure)} per million operations`
    return [`${FIGURES[figure]} ${was[figure]} → ${is[figure]} (${change > 0 ? '+' : ''}${change}; ${perMillion})`]
  })
  return lines.length === 0 ? null : `${name}: ${lines.join(', ')}.`
}

/** A figure for a million operations, to three decimals: exact only where the operations divide it. */
export function perMillion(counts: Counts, figure: keyof Counts): number {
  return Math.round((counts[figure] * 1e9) / counts.operations) / 1_000
}

function millionth(counts: Counts, figure: keyof Counts): string {
  return perMillion(counts, figure).toLocaleString('en-US')
}

function figuresOf(counts: Counts): readonly (keyof Counts)[] {
  // Each of these is a key of `Counts`: the table is a record over them.
  return (Object.keys(FIGURES) as (keyof Counts)[]).filter((figure) => figure in counts)
}
