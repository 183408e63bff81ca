import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Counts } from './counts-of.ts'

/** The figures of each case by its name, as they were accepted. */
export type Baseline = Readonly<Record<string, Counts>>

/** The same file for the sources and for what is built of them. */
export const BASELINE_PATH: string = fileURLToPath(new URL('../../counts/baseline.json', import.meta.url))

const FIGURES = Object.keys({
  operations: true,
  exchanges: true,
  reads: true,
  records: true,
  leaseRecords: true,
  bytes: true,
} satisfies Record<keyof Counts, true>)

/** @throws TypeError for a file that `writeBaseline` did not write */
export function readBaseline(path: string = BASELINE_PATH): Baseline {
  const read: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (!isBaseline(read)) throw new TypeError(`${path} is not a baseline of counts: write it anew`)
  return read
}

export function writeBaseline(baseline: Baseline, path: string = BASELINE_PATH): void {
  writeFileSync(path, `${JSON.stringify(baseline, null, 2)}\n`)
}

function isBaseline(read: unknown): read is Baseline {
  return isRecord(read) && Object.values(read).every(isCounts)
}

function isCounts(read: unknown): boolean {
  return isRecord(read) && FIGURES.every((figure) => Number.isSafeInteger(read[figure]))
}

function isRecord(read: unknown): read is Record<string, unknown> {
  return typeof read === 'object' && read !== null
}
