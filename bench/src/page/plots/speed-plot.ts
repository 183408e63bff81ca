import { axisX, barX, gridX, ruleX, text, type PlotOptions } from '@observablehq/plot'
import type { Result } from '../../compare/result.ts'
import { short } from '../../report/format.ts'
import { decades, tickText, ticksOf } from './labels.ts'
import { svgOf } from './svg.ts'
import { GROUP_NAMES, STORE_NAMES, type Theme } from './theme.ts'

const WIDTH = 860
const ROW_PX = 22
const MARGIN = { top: 72, right: 80, bottom: 46, left: 260 }
const STORE_ORDER = ['memory', 'sqlite', 'postgres', 'redis']
/** Of a letter of the legend, about. */
const LETTER_PX = 6.3
const LEGEND_GAP_PX = 34

/** Decisions a second by contender, one hot key. */
export function speedPlot({ rows }: Result, theme: Theme): string | null {
  const hot = rows.filter(({ workload }) => workload === 'hot-key')
  if (hot.length === 0) return null
  const bars = hot
    .map((row) => ({
      name: `${row.title.split(',')[0]}: ${STORE_NAMES[row.store]}`,
      place: STORE_ORDER.indexOf(row.store),
      speed: row.decisionsPerSecond.median,
      color: theme.colors[row.group],
    }))
    .sort((a, b) => a.place - b.place || b.speed - a.speed)
  const domain = decades(bars.map(({ speed }) => speed))
  const options: PlotOptions = {
    width: WIDTH,
    height: bars.length * ROW_PX + MARGIN.top + MARGIN.bottom,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    x: { type: 'log', domain: [...domain], label: null },
    y: { type: 'band', domain: bars.map(({ name }) => name), label: null, padding: 0.25, tickSize: 0 },
    marks: [
      gridX(ticksOf(domain), { stroke: theme.grid, strokeOpacity: 1 }),
      axisX({
        ticks: [...ticksOf(domain)],
        tickFormat: tickText,
        label: 'decisions a second, logarithmic',
        labelAnchor: 'center',
        labelArrow: 'none',
      }),
      barX(bars, { x1: domain[0], x2: 'speed', y: 'name', fill: 'color' }),
      ruleX([domain[0]]),
      text(bars, {
        x: 'speed',
        y: 'name',
        text: ({ speed }: { speed: number }) => short(speed),
        textAnchor: 'start',
        dx: 6,
      }),
      text(['One hot key: decisions a second'], {
        frameAnchor: 'top-left',
        dx: -MARGIN.left + 10,
        dy: -MARGIN.top + 12,
        fontWeight: 'bold',
        fontSize: 14,
      }),
      ...legend(new Set(hot.map(({ group }) => group)), theme),
    ],
  }
  return svgOf(options, theme)
}

function legend(groups: ReadonlySet<keyof Theme['colors']>, { colors }: Theme): readonly ReturnType<typeof text>[] {
  let dx = -MARGIN.left + 10
  return (Object.keys(GROUP_NAMES) as (keyof typeof GROUP_NAMES)[]).flatMap((group) => {
    if (!groups.has(group)) return []
    const entry = text([`■ ${GROUP_NAMES[group]}`], {
      frameAnchor: 'top-left',
      dx,
      dy: -MARGIN.top + 36,
      fill: colors[group],
    })
    dx += GROUP_NAMES[group].length * LETTER_PX + LEGEND_GAP_PX
    return [entry]
  })
}
