import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Scale } from './scale-run.ts'

/** The same file for the sources and for what is built of them. */
const RESULTS_PATH: string = fileURLToPath(new URL('../../results/scale.json', import.meta.url))

/** What was measured so far: the parts are measured by themselves, too. */
export function readScale(path: string = RESULTS_PATH): Partial<Scale> {
  if (!existsSync(path)) return {}
  // This project wrote the file, and git keeps it.
  return JSON.parse(readFileSync(path, 'utf8')) as Partial<Scale>
}

export function writeScale(scale: Partial<Scale>, path: string = RESULTS_PATH): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(scale, null, 2)}\n`)
}

export function isWhole(scale: Partial<Scale>): scale is Scale {
  const parts: readonly unknown[] = [
    ...[scale.gate, scale.operations, scale.keys, scale.keysDurable],
    ...[scale.owners, scale.flushInterval, scale.atRisk, scale.underUse],
  ]
  return !parts.includes(undefined)
}
