import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SHIPPED } from '../subject.ts'
import type { Canary } from './canary.ts'

/** Inside the workspace, so that the copies find the library's dependencies. */
const COPIES = fileURLToPath(new URL('../../', import.meta.url))

/** A built library with a bug in it. */
export interface Planted {
  readonly folder: string
  /** Removes the copy. */
  remove(): void
}

/**
 * Copies the shipped library and plants the bug.
 * @throws Error when the text to change is not there exactly once: the code has moved on, and the canary must follow
 */
export function plant({ name, file, find, replace }: Canary): Planted {
  const folder = mkdtempSync(join(COPIES, `.canary-${name}-`))
  cpSync(SHIPPED, folder, { recursive: true, filter: (path) => !path.endsWith('.d.ts') })
  const path = join(folder, `${file}.js`)
  const parts = readFileSync(path, 'utf8').split(find)
  if (parts.length !== 2) {
    rmSync(folder, { recursive: true })
    throw new Error(`canary ${name}: ${file} has ${parts.length - 1} places that read ${JSON.stringify(find)}, not one`)
  }
  writeFileSync(path, parts.join(replace))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
