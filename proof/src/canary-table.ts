import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CATALOGUE } from './canaries/catalogue.ts'
import { canaryPage, type CanaryResult, type ModelResult } from './tables/canary-page.ts'
import { pageOrigin } from './tables/page-origin.ts'

/*
 * `node proof/dist/canary-table.js canaries.json [model.json]` writes docs/canaries.md from the reports of `npm run -s canaries -- --json`
 * and `npm run -s model -- --canaries --json`.
 */

const PAGE = new URL('../../docs/canaries.md', import.meta.url)

const { positionals } = parseArgs({ allowPositionals: true })
const [canariesPath, modelPath] = positionals
if (canariesPath === undefined) throw new TypeError('the path of the report is missing: canary-table.js canaries.json')

// Both reports are written by this package.
const results = JSON.parse(readFileSync(canariesPath, 'utf8')) as readonly CanaryResult[]
// In the report `what` is what was seen; the page tells what was planted.
const planted = new Map(CATALOGUE.map(({ name, what }) => [name, what]))
const canaries = results.map((result) => ({ ...result, what: planted.get(result.name) ?? '' }))
const model = modelPath === undefined ? [] : (JSON.parse(readFileSync(modelPath, 'utf8')) as readonly ModelResult[])
writeFileSync(PAGE, canaryPage(canaries, model, pageOrigin()))
console.log(`docs/canaries.md: ${canaries.length} canaries`)
