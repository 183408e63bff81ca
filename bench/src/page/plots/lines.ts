import { axisX, axisY, gridX, gridY, line, link, dot, text, type PlotOptions } from '@observablehq/plot'
import { apart, decades, tickText, ticksOf } from './labels.ts'
import type { Theme } from './theme.ts'

const WIDTH = 860
const HEIGHT = 460
const MARGIN = { top: 62, right: 270, bottom: 46, left: 64 }

export interface LinePlot {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly x: {
    readonly scale: 'log' | 'linear'
    readonly ticks?: readonly number[]
    readonly format: (x: number) => string
  }
  readonly lines: readonly Line[]
}

export interface Line {
  readonly label: string
  readonly color: string
  readonly isDashed?: boolean
  /** Values of 0 and less are left out: the axis is logarithmic. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Lines on a logarithmic y axis, each with its name at its end. */
export function linePlot({ title, xLabel, yLabel, x, lines }: LinePlot, { grid, text: textColor }: Theme): PlotOptions {
  const shown = lines.map((one) => ({ ...one, points: one.points.filter(([, y]) => y > 0) })).filter(hasPoints)
  const all = shown.flatMap(({ points }) => points)
  const [domain, xs] = [decades(all.map(([, y]) => y)), all.map(([x]) => x)]
  const right = Math.max(...xs)
  const labels = shown.map(({ label, color, points }) => {
    const [lastX, y] = points.at(-1) ?? [right, 1]
    return { text: label, color, y, lastX, lastY: y }
  })
  // A line that ends early is joined with its name.
  const placed = apart(labels, domain, HEIGHT - MARGIN.top - MARGIN.bottom)
  return {
    width: WIDTH,
    height: HEIGHT,
    marginTop: MARGIN.top,
    marginRight: MARGIN.right,
    marginBottom: MARGIN.bottom,
    marginLeft: MARGIN.left,
    x: { type: x.scale, domain: [Math.min(...xs), right], label: null },
    y: { type: 'log', domain: [...domain], label: null },
    marks: [
      gridX(x.ticks, { stroke: grid, strokeOpacity: 1 }),
      gridY(ticksOf(domain), { stroke: grid, strokeOpacity: 1 }),
      axisX({
        ...(x.ticks !== undefined && { ticks: [...x.ticks] }),
        tickFormat: x.format,
        label: xLabel,
        labelAnchor: 'center',
        labelArrow: 'none',
      }),
      axisY({ ticks: [...ticksOf(domain)], tickFormat: tickText, label: null }),
      text([title], {
        frameAnchor: 'top-left',
        dx: -MARGIN.left + 10,
        dy: -MARGIN.top + 10,
        fontWeight: 'bold',
        fontSize: 14,
      }),
      text([yLabel], {
        frameAnchor: 'top-left',
        dx: -MARGIN.left + 10,
        dy: -MARGIN.top + 30,
        fill: textColor,
        fillOpacity: 0.8,
      }),
      ...shown.flatMap(({ points, color, isDashed }) => [
        line(points, {
          x: '0',
          y: '1',
          stroke: color,
          strokeWidth: 2,
          ...(isDashed === true && { strokeDasharray: '5 4' }),
        }),
        ...(points.length < 20 ? [dot(points, { x: '0', y: '1', fill: color, r: 3 })] : []),
      ]),
      link(
        placed.filter(({ lastX }) => lastX < right),
        { x1: 'lastX', y1: 'lastY', x2: right, y2: 'y', stroke: 'color', strokeDasharray: '1 4' },
      ),
      text([...placed], { x: right, y: 'y', text: 'text', fill: 'color', textAnchor: 'start', dx: 10 }),
    ],
  }
}

function hasPoints({ points }: Line): boolean {
  return points.length > 0
}
