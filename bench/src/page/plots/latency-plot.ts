import type { LatencyRow, Result } from '../../compare/result.ts'
import { linePlot } from './lines.ts'
import { svgOf } from './svg.ts'
import { STORE_NAMES, type Theme } from './theme.ts'

/** One of a hundred thousand is not measured well in a second or two. */
const PERCENTILES = [50, 75, 90, 95, 99, 99.5, 99.9]
const TICKS = [50, 90, 99, 99.9]

/** The rate that most of them keep up with. */
export const PLOTTED_RATE = 1_000

export function latencyPlot({ latencies }: Result, theme: Theme): string | null {
  const rows = latencies.filter(
    (row) => row.offeredPerSecond === PLOTTED_RATE && row.isKeptUp && row.store !== 'memory',
  )
  if (rows.length === 0) return null
  const options = linePlot(
    {
      title: `How long a decision takes at ${PLOTTED_RATE.toLocaleString('en-US')} operations/s`,
      yLabel: 'us, from the moment at which it was due',
      xLabel: 'percentile',
      x: { scale: 'log', ticks: TICKS.map(inverse), format: (x) => String(Number((100 - 100 / x).toFixed(2))) },
      lines: rows.map((row) => ({
        label: `${row.title.split(',')[0]}: ${STORE_NAMES[row.store]}`,
        color: theme.colors[row.group],
        isDashed: row.store === 'redis',
        points: pointsOf(row),
      })),
    },
    theme,
  )
  return svgOf(options, theme)
}

function pointsOf({ fromDueUs }: LatencyRow): readonly (readonly [number, number])[] {
  return fromDueUs.curve
    .filter(([percentile]) => PERCENTILES.includes(percentile))
    .map(([percentile, us]) => [inverse(percentile), us])
}

/** One in so many takes longer. */
function inverse(percentile: number): number {
  return 1 / (1 - percentile / 100)
}
