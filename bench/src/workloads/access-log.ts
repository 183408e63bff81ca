import { existsSync, readFileSync } from 'node:fs'
import type { Workload } from './workload.ts'

/** The client of each request, in order. The first word of a line in the common and the combined format. */
export function addressesIn(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.map((line) => line.slice(0, line.indexOf(' '))).filter((address) => address !== '')
}

/** Why a workload cannot be run here; null where it can be. */
export function missingInput({ keys }: Workload): string | null {
  if (keys.kind !== 'log' || existsSync(keys.path)) return null
  return `there is no ${keys.path}`
}
