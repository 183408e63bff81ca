import { parseArgs } from 'node:util'
import { isWhole, readScale, writeScale } from './scale/scale-file.ts'
import { writeScalePage } from './scale/scale-page.ts'
import { FULL, isScaleBalanced, scaleParts, type ScalePart } from './scale/scale-run.ts'

/*
 * `npm run bench:scale`: what the work costs against its size. `--part gate|operations|keys|keysDurable|owners|flushInterval|atRisk|underUse` measures
 * one part anew, and none with `--part none` only draws. Exits with 1 when books do not balance.
 */

const startedAtMs = performance.now()
const parts = scaleParts(FULL, (what) =>
  console.error(`${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s: ${what}`),
)
const names = Object.keys(parts).filter(isPart)
const { values } = parseArgs({ options: { part: { type: 'string', multiple: true, default: names } } })

for (const name of names) {
  if (!values.part.includes(name)) continue
  const measured = await parts[name]()
  // Each part as soon as it is there: a run may be ended.
  writeScale({ ...readScale(), [name]: measured })
}
const scale = readScale()
if (!isWhole(scale)) console.error('The page is written when each part has been measured.')
else {
  writeScalePage(scale)
  if (!isScaleBalanced(scale)) {
    console.error('The books do not balance.')
    process.exitCode = 1
  }
}

function isPart(name: string): name is ScalePart {
  return name in parts
}
