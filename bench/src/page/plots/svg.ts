import { plot, type PlotOptions } from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Theme } from './theme.ts'

const FONT = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'

/** As much of a document as is used here: the types of a browser are not those of this program. */
interface SvgDocument {
  createElementNS(namespace: string, name: string): SvgElement
}

interface SvgElement {
  readonly outerHTML: string
  readonly firstChild: unknown
  setAttribute(name: string, value: string): void
  insertBefore(child: SvgElement, before: unknown): void
}

/** The plot as a file of its own: no browser, no font and no style sheet is needed to make it. */
export function svgOf(options: PlotOptions, { background, text }: Theme): string {
  // linkedom has no types for what it shares with a browser.
  const { document } = parseHTML('<html><body></body></html>') as unknown as { readonly document: SvgDocument }
  const style = { background, color: text, fontFamily: FONT, fontSize: '12px' }
  const svg = elementOf(plot({ ...options, document, style }))
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  // The background of a style sheet is left out by some viewers.
  const rectangle = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
  rectangle.setAttribute('width', '100%')
  rectangle.setAttribute('height', '100%')
  rectangle.setAttribute('fill', background)
  svg.insertBefore(rectangle, svg.firstChild)
  return `${svg.outerHTML}\n`
}

function elementOf(made: unknown): SvgElement {
  return made as SvgElement
}
