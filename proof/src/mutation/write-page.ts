import { readFileSync, writeFileSync } from 'node:fs'
import { mutantPage, type MutantReason, unexplained } from '../tables/mutant-page.ts'
import { savedResults } from './area-results.ts'
import { AREAS } from './areas.ts'

const ROOT = new URL('../../../', import.meta.url)

/** Writes docs/mutants.md from the saved results and proof/mutant-reasons.json. @returns the survivors that have no reason yet */
export function writeMutantPage(): readonly string[] {
  const results = savedResults()
  const reasons = JSON.parse(
    readFileSync(new URL('proof/mutant-reasons.json', ROOT), 'utf8'),
  ) as readonly MutantReason[]
  const areas = AREAS.map(({ name }) => name)
  writeFileSync(new URL('docs/mutants.md', ROOT), mutantPage(areas, results, reasons))
  return unexplained(results, reasons)
}
