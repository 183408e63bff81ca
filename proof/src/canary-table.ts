import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
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
const canaries = JSON.parse(readFileSync(canariesPath, 'utf8')) as readonly CanaryResult[]
const model = modelPath === undefined ? [] : (JSON.parse(readFileSync(modelPath, 'utf8')) as readonly ModelResult[])
writeFileSync(PAGE, canaryPage(canaries, model, pageOrigin()))
console.log(`docs/canaries.md: ${canaries.length} canaries`)
