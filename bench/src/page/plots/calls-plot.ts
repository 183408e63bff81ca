import type { Result } from '../../compare/result.ts'
import { tickText } from './labels.ts'
import { linePlot } from './lines.ts'
import { svgOf } from './svg.ts'
import { STORE_NAMES, type Theme } from './theme.ts'

export function callsPlot({ latencies, settings }: Result, theme: Theme): string | null {
  const rows = latencies.filter(({ store }) => store !== 'memory')
  const names = [...new Set(rows.map(({ contender }) => contender))]
  const lines = names.map((name) => {
    const own = rows.filter(({ contender }) => contender === name)
    const [first] = own
    return {
      label: first === undefined ? name : `${first.title.split(',')[0]}: ${STORE_NAMES[first.store]}`,
      color: theme.colors[first?.group ?? 'per-request'],
      isDashed: first?.store === 'redis',
      points: own.map((row) => [row.offeredPerSecond, row.storeCallsPerSecond] as const),
    }
  })
  if (lines.length === 0) return null
  const options = linePlot(
    {
      title: 'Store calls against offered load',
      yLabel: 'store calls a second, as the server counts them; a line ends where its load is not kept up with',
      xLabel: 'operations offered a second',
      x: { scale: 'log', ticks: settings.rates, format: tickText },
      lines,
    },
    theme,
  )
  return svgOf(options, theme)
}
