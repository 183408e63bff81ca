import type { Suite } from './areas.ts'
import type { Sample } from './sample.ts'

/** What `npm run mutation` tells Stryker, its checker and Vitest: one run. Passed as JSON in the environment. */
export interface MutationSettings {
  /** Files, with ranges of lines or without. */
  readonly mutate: readonly string[]
  readonly sample: Sample
  readonly suite: Suite
  /** The file for the report. */
  readonly report: string
}

export const SETTINGS_VARIABLE = 'VSA_MUTATION'

/** @throws Error when this process was not started by `npm run mutation` */
export function mutationSettings(): MutationSettings {
  const text = process.env[SETTINGS_VARIABLE]
  if (text === undefined) throw new Error('start it with npm run mutation, which says what to run')
  return JSON.parse(text) as MutationSettings
}

export const SOURCES = 'packages/vsa/src/'

/** A path of Stryker, absolute or not, below `packages/vsa/src`. */
export function sourcePath(file: string): string {
  const normal = file.replaceAll('\\', '/')
  const at = normal.lastIndexOf(SOURCES)
  return at < 0 ? normal : normal.slice(at + SOURCES.length)
}
