import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AreaResult, MutatedFile, MutationReport, Mutant } from '../tables/mutant-page.ts'
import type { PageOrigin } from '../tables/page-origin.ts'
import { AREAS, areaOf, type MutationArea } from './areas.ts'
import { isInSample, type Sample } from './sample.ts'
import { sourcePath } from './settings.ts'

/*
 * The results of the areas, one file each, in `.stryker/areas`: an area that is run again replaces its own.
 */

const FOLDER = new URL('../../../.stryker/areas/', import.meta.url)

/** What Stryker's report says of the area's sample. Mutants that no test reaches are in the report whether they are in the sample or not. */
export function areaResult(area: MutationArea, report: MutationReport, sample: Sample, origin: PageOrigin): AreaResult {
  const files = Object.entries(report.files).filter(([path]) => areaOf(sourcePath(path)) === area)
  return {
    area: area.name,
    origin,
    seed: sample.seed,
    oneIn: sample.oneIn ?? area.oneIn,
    mutants: files.reduce((sum, [, { mutants }]) => sum + mutants.length, 0),
    report: { files: Object.fromEntries(files.map(([path, file]) => [path, sampled(path, file, sample)])) },
  }
}

function sampled(path: string, { source, mutants }: MutatedFile, sample: Sample): MutatedFile {
  const isTried = ({ replacement = '', location: { start } }: Mutant): boolean =>
    isInSample({ path: sourcePath(path), line: start.line, column: start.column, replacement }, sample)
  return { source, mutants: mutants.filter(isTried) }
}

export function saveResult(result: AreaResult): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(fileOf(result.area), JSON.stringify(result))
}

/** Every area's last result, in the order of the areas. */
export function savedResults(): readonly AreaResult[] {
  return AREAS.filter(({ name }) => existsSync(fileOf(name))).map(
    ({ name }) => JSON.parse(readFileSync(fileOf(name), 'utf8')) as AreaResult,
  )
}

function fileOf(area: string): URL {
  return new URL(`${area}.json`, FOLDER)
}
