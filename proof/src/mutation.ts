import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { areaResult, saveResult } from './mutation/area-results.ts'
import { AREAS, areaOf, type MutationArea } from './mutation/areas.ts'
import { writeMutantPage } from './mutation/write-page.ts'
import type { Sample } from './mutation/sample.ts'
import { type MutationSettings, SETTINGS_VARIABLE, SOURCES } from './mutation/settings.ts'
import { type MutationReport, scoreOf } from './tables/mutant-page.ts'
import { pageOrigin } from './tables/page-origin.ts'

/*
 * `npm run mutation`: tries a sample of the mutants of every area, or of those named by `--area`, and writes docs/mutants.md. Exits 1 when
 * less than 85 % of an area's mutants are noticed, or when a survivor has no reason in proof/mutant-reasons.json.
 */

const SCORE_LEAST = 85
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const REPORT = '.stryker/mutation.json'

const { values } = parseArgs({
  options: {
    area: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    // One mutant of so many, instead of what the area says; 1 tries them all.
    'one-in': { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

const wanted = (values.area ?? AREAS.map(({ name }) => name)).map(areaNamed)
const sample: Sample = {
  seed: wholeNumber('--seed', values.seed),
  ...(values['one-in'] === undefined ? {} : { oneIn: wholeNumber('--one-in', values['one-in']) }),
}
if (values.list) for (const { name, oneIn } of AREAS) console.log(`${name.padEnd(12)} one mutant in ${oneIn}`)
else await run()

async function run(): Promise<void> {
  let isGood = true
  const origin = pageOrigin()
  for (const areas of bySuite(wanted)) {
    const report = await stryker(areas)
    for (const area of areas) {
      const result = areaResult(area, report, sample, origin)
      saveResult(result)
      const score = scoreOf(result.report)
      isGood &&= score >= SCORE_LEAST
      console.log(`${area.name}: ${score.toFixed(2)} % of the sample noticed`)
    }
  }
  const open = writeMutantPage()
  for (const survivor of open) console.log(`no reason yet: ${survivor}`)
  console.log(`docs/mutants.md: ${open.length} survivors without a reason`)
  if (!isGood || open.length > 0) process.exitCode = 1
}

/** One run of Stryker for all areas with the same tests. */
async function stryker(areas: readonly MutationArea[]): Promise<MutationReport> {
  const [first] = areas
  if (first === undefined) throw new Error('no area to run')
  const settings: MutationSettings = { mutate: filesOf(areas), sample, suite: first.suite, report: REPORT }
  const startedAt = performance.now()
  const child = spawn(`${ROOT}node_modules/.bin/stryker`, ['run'], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...fastDisk(), [SETTINGS_VARIABLE]: JSON.stringify(settings) },
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`Stryker ended with ${code}`)
  const minutes = (performance.now() - startedAt) / 60_000
  console.log(`${areas.map(({ name }) => name).join(', ')}: ${minutes.toFixed(1)} min`)
  return JSON.parse(readFileSync(`${ROOT}${REPORT}`, 'utf8')) as MutationReport
}

/** Temporary files in memory, where there is such a folder: SQLite's commits are not what is tried. */
function fastDisk(): NodeJS.ProcessEnv {
  return process.env['TMPDIR'] === undefined && existsSync('/dev/shm') ? { TMPDIR: '/dev/shm' } : {}
}

function filesOf(areas: readonly MutationArea[]): readonly string[] {
  const files = readdirSync(`${ROOT}${SOURCES}`, { recursive: true, encoding: 'utf8' })
  return files
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && areas.some((area) => area === areaOf(file)))
    .map((file) => `${SOURCES}${file}`)
    .toSorted()
}

function bySuite(areas: readonly MutationArea[]): readonly (readonly MutationArea[])[] {
  const suites = new Set(areas.map(({ suite }) => suite))
  return [...suites].map((suite) => areas.filter((area) => area.suite === suite))
}

function areaNamed(name: string): MutationArea {
  const area = AREAS.find((area) => area.name === name)
  if (area === undefined) throw new Error(`--area ${name}: the areas are ${AREAS.map((each) => each.name).join(', ')}`)
  return area
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${option} must be a whole number from 1, got ${text}`)
  return value
}
