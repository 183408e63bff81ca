import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { figureSvg } from '../page/plots/figure.ts'
import { THEMES } from '../page/plots/theme.ts'
import { withSection } from '../page/section.ts'
import { scaleFigures } from './scale-figures.ts'
import type { Scale } from './scale-run.ts'
import { scaleSection } from './scale-section.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PAGE = `${ROOT}docs/benchmarks.md`
const PLOTS = `${ROOT}docs/plots`

/** Writes the plots, and the section of docs/benchmarks.md between its marks. */
export function writeScalePage(scale: Scale): void {
  const figures = scaleFigures(scale)
  mkdirSync(PLOTS, { recursive: true })
  for (const figure of figures)
    for (const theme of THEMES) writeFileSync(`${PLOTS}/${figure.name}-${theme.name}.svg`, figureSvg(figure, theme))
  writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), 'scale', scaleSection(scale, figures)))
  execFileSync(`${ROOT}node_modules/.bin/oxfmt`, [PAGE], { cwd: ROOT })
}
