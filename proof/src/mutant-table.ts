import { writeMutantPage } from './mutation/write-page.ts'

/*
 * `node proof/dist/mutant-table.js` writes docs/mutants.md again from the last results, as after a change of proof/mutant-reasons.json.
 * Prints the survivors that have no reason yet, and then exits 1.
 */

const open = writeMutantPage()
for (const survivor of open) console.log(`no reason yet: ${survivor}`)
console.log(`docs/mutants.md: ${open.length} survivors without a reason`)
if (open.length > 0) process.exitCode = 1
