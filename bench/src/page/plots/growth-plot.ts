import type { Result } from '../../compare/result.ts'
import { short } from '../../report/format.ts'
import { linePlot } from './lines.ts'
import { svgOf } from './svg.ts'
import type { Theme } from './theme.ts'

/** Operations (N) and rows written (I) over time; null where they were not followed. */
export function growthPlot({ growth }: Result, theme: Theme): string | null {
  const last = growth.at(-1)
  if (last === undefined) return null
  const options = linePlot(
    {
      title: 'What is decided, and what is written',
      yLabel: 'in all, since the start',
      xLabel: 'seconds',
      x: { scale: 'linear', format: String },
      lines: [
        {
          label: `operations (N): ${short(last.operations)}`,
          color: theme.colors['vsa-leased'],
          points: growth.map(({ seconds, operations }) => [seconds, operations]),
        },
        {
          label: `rows written (I): ${short(last.records)}`,
          color: theme.colors['per-request'],
          points: growth.map(({ seconds, records }) => [seconds, records]),
        },
      ],
    },
    theme,
  )
  return svgOf(options, theme)
}
