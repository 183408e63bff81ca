import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Result } from '../compare/result.ts'
import { machineLine } from '../report/machine.ts'
import { markdownTable } from './markdown-table.ts'
import { callsPlot } from './plots/calls-plot.ts'
import { growthPlot } from './plots/growth-plot.ts'
import { latencyPlot } from './plots/latency-plot.ts'
import { speedPlot } from './plots/speed-plot.ts'
import { THEMES, type Theme } from './plots/theme.ts'
import { readmeSection } from './readme-section.ts'
import { tablesOf } from './report.ts'
import { withSection } from './section.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const PAGE = `${ROOT}docs/benchmarks.md`
const README = `${ROOT}README.md`
const PLOTS = `${ROOT}docs/plots`
const MARK = 'bench'

interface Plot {
  readonly name: string
  readonly alt: string
  readonly make: (result: Result, theme: Theme) => string | null
}

const PLOT_LIST: readonly Plot[] = [
  { name: 'growth', alt: 'Operations and rows written over time', make: growthPlot },
  { name: 'speed', alt: 'Decisions a second by contender', make: speedPlot },
  { name: 'latency', alt: 'Percentiles of the time that a decision takes', make: latencyPlot },
  { name: 'calls', alt: 'Store calls against offered load', make: callsPlot },
]

/** Writes the section of the run into docs/benchmarks.md, its plots, and the table and the plot of the README. */
export function writePages(result: Result): void {
  const plots = writePlots(result)
  write(PAGE, (page) => withSection(page, MARK, pageSection(result, plots)))
  write(README, (page) =>
    withSection(page, MARK, readmeSection(result, picture('speed', 'Decisions a second by contender', 'docs/plots'))),
  )
  execFileSync(`${ROOT}node_modules/.bin/oxfmt`, [PAGE, README], { cwd: ROOT })
}

function writePlots(result: Result): readonly Plot[] {
  mkdirSync(PLOTS, { recursive: true })
  return PLOT_LIST.filter(({ name, make }) =>
    THEMES.map((theme) => {
      const svg = make(result, theme)
      if (svg !== null) writeFileSync(`${PLOTS}/${name}-${theme.name}.svg`, svg)
      return svg !== null
    }).every(Boolean),
  )
}

function write(path: string, change: (page: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')))
}

function pageSection(result: Result, plots: readonly Plot[]): string {
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`)
  const tables = tablesOf(result).map(
    ({ title, command, note, columns, rows }) =>
      `### ${heading(title)}\n\n\`${command}\`${note === undefined ? '' : `: ${note}`}\n\n${markdownTable(columns, rows)}`,
  )
  const { rounds, seconds, callers } = result.settings
  return [
    `Run of ${result.at.slice(0, 10)} by \`${result.command}\`: ${machineLine(result.machine)}. ${versions.join(', ')}. ${result.stores.join('. ')}.`,
    `Closed loop: ${callers.toLocaleString('en-US')} operations under way, ${rounds} rounds of ${seconds} s by turns, medians.`,
    ...result.skipped.map((text) => `Left out: ${text}.`),
    ...plots.map(({ name, alt }) => `\`${result.command}\`:\n\n${picture(name, alt, 'plots')}`),
    ...tables,
  ].join('\n\n')
}

function heading(title: string): string {
  return `${title.slice(0, 1).toUpperCase()}${title.slice(1)}`
}

function picture(name: string, alt: string, folder: string): string {
  return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="${folder}/${name}-dark.svg">
  <img alt="${alt}" src="${folder}/${name}-light.svg">
</picture>`
}
