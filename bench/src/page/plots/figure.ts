import { type Panel, PANEL_HEIGHT, PANEL_WIDTH, panelSvg } from './panel.ts'
import type { Theme } from './theme.ts'

/** Panels side by side, and what they show in a sentence, for those who cannot see them. */
export interface Figure {
  /** Of the files: `name-light.svg`, `name-dark.svg`. */
  readonly name: string
  readonly alt: string
  readonly panels: readonly Panel[]
}

export function figureSvg({ alt, panels }: Figure, theme: Theme): string {
  const width = PANEL_WIDTH * panels.length
  const drawn = panels.map(
    (panel, at) => `<g transform="translate(${at * PANEL_WIDTH} 0)">${panelSvg(panel, theme)}</g>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${PANEL_HEIGHT}" width="${width}" height="${PANEL_HEIGHT}" role="img">`,
    `<title>${escaped(alt)}</title>`,
    `<rect width="100%" height="100%" fill="${theme.background}"/>`,
    ...drawn,
    '</svg>\n',
  ].join('\n')
}

/** The figure in a page in `docs`, by the reader's colours. */
export function figureMarkdown({ name, alt }: Figure): string {
  return [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="plots/${name}-dark.svg">`,
    `  <img alt="${escaped(alt)}" src="plots/${name}-light.svg">`,
    '</picture>',
  ].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
