import { areaOf } from './areas.ts'

/** What identifies a mutant, whatever ran before it. Lines and columns count from 1. */
export interface MutantName {
  /** Below `packages/vsa/src`. */
  readonly path: string
  readonly line: number
  readonly column: number
  readonly replacement: string
}

/** Which mutants are tried. */
export interface Sample {
  /** Another seed gives another sample. */
  readonly seed: number
  /** One mutant of so many; absent: as each area says. */
  readonly oneIn?: number
}

/** Whether the mutant is in the sample. It depends on the mutant alone, so that a change elsewhere in the code leaves the sample as it is. */
export function isInSample({ path, line, column, replacement }: MutantName, { seed, oneIn }: Sample): boolean {
  const share = oneIn ?? areaOf(path)?.oneIn ?? 1
  return hashOf(`${seed} ${path} ${line}:${column} ${replacement}`) % share === 0
}

/** FNV-1a, and a last mixing: its low bits alone are not even. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}
