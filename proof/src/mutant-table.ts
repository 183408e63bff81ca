import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { mutantPage, unexplained, type MutantReason, type MutationReport } from './tables/mutant-page.ts'
import { pageOrigin } from './tables/page-origin.ts'

/*
 * `node proof/dist/mutant-table.js [report.json]` writes docs/mutants.md from Stryker's report and from proof/mutant-reasons.json.
 * Prints the survivors that have no reason yet, and then exits 1.
 */

const ROOT = new URL('../../', import.meta.url)

const { positionals } = parseArgs({ allowPositionals: true })
const report = parse(positionals[0] ?? new URL('.stryker/mutation.json', ROOT)) as MutationReport
const reasons = parse(new URL('proof/mutant-reasons.json', ROOT)) as readonly MutantReason[]

writeFileSync(new URL('docs/mutants.md', ROOT), mutantPage(report, reasons, pageOrigin()))
const open = unexplained(report, reasons)
for (const survivor of open) console.log(`no reason yet: ${survivor}`)
console.log(`docs/mutants.md: ${open.length} survivors without a reason`)
if (open.length > 0) process.exitCode = 1

/** The forms are Stryker's and this package's own. */
function parse(path: string | URL): unknown {
  return JSON.parse(readFileSync(path, 'utf8'))
}
