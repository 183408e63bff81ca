import * as Plot from '@observablehq/plot'
import { svgOf } from './svg.ts'
import type { Theme } from './theme.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

/** A line of a panel, with its name at its last point, or at `labelAt`. */
export interface Line {
  readonly name: string
  readonly points: readonly Point[]
  readonly color: keyof Theme['colors']
  /** It is not measured. */
  readonly isDashed?: boolean
  /** The index of the point that the name stands at. Default: the last one. */
  readonly labelAt?: number
  /** How far the name stands from the point, in px. Default: above it, ending there. */
  readonly label?: { readonly dx?: number; readonly dy?: number; readonly anchor?: 'start' | 'middle' | 'end' }
}

export interface Axis {
  readonly label: string
  /** `steps`: each of the values that there are, at equal distances. */
  readonly kind: 'linear' | 'log' | 'steps' | 'symlog'
  readonly ticks: readonly number[]
  readonly domain: readonly [number, number]
  /** Default: 1,000 is 1 k. */
  readonly format?: (value: number) => string
}

export interface Panel {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly Line[]
}

export const PANEL_WIDTH = 480
export const PANEL_HEIGHT = 330

/** One panel as an SVG element, as text. */
export function panelSvg(panel: Panel, theme: Theme): string {
  const options: Plot.PlotOptions = {
    width: PANEL_WIDTH,
    height: PANEL_HEIGHT,
    ...{ marginLeft: 62, marginRight: 28, marginTop: 56, marginBottom: 46 },
    x: scaleOf(panel.x),
    y: scaleOf(panel.y),
    marks: [
      Plot.gridY(panel.y.ticks, { stroke: theme.grid, strokeOpacity: 1 }),
      Plot.axisX(panel.x.ticks, {
        label: panel.x.label,
        labelArrow: 'none',
        tickSize: 0,
        tickFormat: formatOf(panel.x),
        labelAnchor: 'center',
      }),
      Plot.axisY(panel.y.ticks, { label: null, tickSize: 0, tickFormat: formatOf(panel.y) }),
      ...panel.lines.flatMap((line) => marksOf(line, theme)),
      Plot.text([panel.title], {
        frameAnchor: 'top-left',
        dx: -54,
        dy: -50,
        fontSize: 14,
        fontWeight: 600,
        fill: theme.text,
      }),
      Plot.text([panel.y.label], { frameAnchor: 'top-left', dx: -54, dy: -29, fill: theme.text }),
    ],
  }
  return svgOf(options, theme)
}

function scaleOf({ kind, domain, ticks }: Axis): Plot.ScaleOptions {
  if (kind === 'steps') return { type: 'point', domain: [...ticks] }
  return { type: kind, domain: [...domain], ...(kind === 'symlog' ? { constant: 1 } : {}) }
}

function marksOf({ name, points, color, isDashed = false, labelAt, label = {} }: Line, theme: Theme): Plot.Markish[] {
  const stroke = theme.colors[color]
  const at = points[labelAt ?? points.length - 1]
  const { dx = 0, dy = -12, anchor = 'end' } = label
  return [
    Plot.line(points, {
      x: 'x',
      y: 'y',
      stroke,
      strokeWidth: 2,
      ...(isDashed ? { strokeDasharray: '5 4' } : {}),
    }),
    ...(isDashed ? [] : [Plot.dot(points, { x: 'x', y: 'y', fill: stroke, r: 3.5 })]),
    ...(at === undefined
      ? []
      : [
          Plot.text([at], {
            ...{ x: 'x', y: 'y', dx, dy, textAnchor: anchor, text: () => name, fontSize: 12.5, fontWeight: 600 },
            ...{ fill: stroke, stroke: theme.background, strokeWidth: 4, paintOrder: 'stroke' },
          }),
        ]),
  ]
}

function formatOf({ format = shortTick }: Axis): (value: number) => string {
  return format
}

/** 1, 10, 1 k, 10 M. */
function shortTick(value: number): string {
  if (value >= 1e6) return `${value / 1e6} M`
  if (value >= 1e3) return `${value / 1e3} k`
  return String(value)
}
