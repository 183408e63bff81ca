import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Library } from './library.ts'
import { runScript } from './run-script.ts'
import { type Failure, failureOf } from './run-seeds.ts'
import type { Script } from './script.ts'

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url))

/** A script that once broke a law, or that breaks one with a planted bug that seeds rarely find; shortened, with what was wrong. The whole script is kept, because the same seed draws another script after the generator has changed. */
export interface CorpusEntry {
  readonly file: string
  readonly found: string
  /** The canary that plants the old bug again, where there is one. The script must find it. */
  readonly canary: string | null
  readonly script: Script
}

/** Every script of the corpus, by the name of its file. */
export function corpusEntries(): readonly CorpusEntry[] {
  const files = readdirSync(CORPUS).filter((file) => file.endsWith('.json'))
  return files.toSorted().map((file) => entryOf(file))
}

function entryOf(file: string): CorpusEntry {
  const { found, canary, script } = JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Omit<CorpusEntry, 'file'>
  return { file, found, canary, script: parseScript(script, file) }
}

/** @throws TypeError when a part is missing @param file names the script in the error */
export function parseScript(value: unknown, file: string): Script {
  const script = value as Script
  const parts: readonly unknown[] = [
    script.seed,
    script.setting?.budgets,
    script.setting?.faultRates,
    script.setting?.wide,
  ]
  if (parts.includes(undefined) || !Array.isArray(script.actions)) throw new TypeError(`${file} is not a script`)
  return script
}

/** Runs every script that once failed. @returns how many there are, and the first that fails again */
export async function runCorpus(
  library: Library,
): Promise<{ readonly scripts: number; readonly failure: (Failure & { readonly file: string }) | null }> {
  const entries = corpusEntries()
  for (const { file, script } of entries) {
    const failure = failureOf(await runScript(library, script))
    if (failure !== null) return { scripts: entries.length, failure: { file, ...failure } }
  }
  return { scripts: entries.length, failure: null }
}
