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
 * The module of the shipped library with the bug in it.
 * @throws Error when the text to change is not there exactly once: the code has moved on, and the canary must follow
 */
export function plantedText({ name, file, find, replace }: Canary): string {
  const parts = readFileSync(join(SHIPPED, `${file}.js`), 'utf8').split(find)
  if (parts.length !== 2)
    throw new Error(`canary ${name}: ${file} has ${parts.length - 1} places that read ${JSON.stringify(find)}, not one`)
  if (find === replace) throw new Error(`canary ${name} changes nothing`)
  return parts.join(replace)
}

/** Copies the shipped library and plants the bug. @throws Error as `plantedText` does */
export function plant(canary: Canary): Planted {
  const text = plantedText(canary)
  const folder = mkdtempSync(join(COPIES, `.canary-${canary.name}-`))
  cpSync(SHIPPED, folder, { recursive: true, filter: (path) => !path.endsWith('.d.ts') })
  writeFileSync(join(folder, `${canary.file}.js`), text)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
