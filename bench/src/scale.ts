import { parseArgs } from 'node:util'
import { readScale, writeScale } from './scale/scale-file.ts'
import { FULL, scaleParts, type Scale, type ScalePart } from './scale/scale-run.ts'

const t0 = performance.now()
let last = t0
const parts = scaleParts(FULL, (what) => {
  console.error(what, Math.round(performance.now() - last))
  last = performance.now()
})
const { values } = parseArgs({ options: { part: { type: 'string', multiple: true, default: Object.keys(parts) } } })
for (const name of values.part) {
  const part = name as ScalePart
  const got: Partial<Scale> = { [part]: await parts[part]() }
  writeScale({ ...readScale(), ...got })
}
console.error('s', (performance.now() - t0) / 1000)
