import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Library } from './library.ts'
import { runScript } from './run-script.ts'
import type { Failure } from './run-seeds.ts'
import type { Script } from './script.ts'

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url))

/** A script that once broke a law, shortened, and what it found. Kept whole: a seed means something else once the draw has changed. */
interface Kept {
  readonly found: string
  readonly script: Script
}

/** Runs every script that once failed. @returns how many there are, and the first that fails again */
export async function runCorpus(
  library: Library,
): Promise<{ readonly scripts: number; readonly failure: (Failure & { readonly file: string }) | null }> {
  const files = readdirSync(CORPUS)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
  for (const file of files) {
    const { script } = JSON.parse(readFileSync(join(CORPUS, file), 'utf8')) as Kept
    const { violation } = await runScript(library, script)
    if (violation !== null) return { scripts: files.length, failure: { file, seed: script.seed, ...violation } }
  }
  return { scripts: files.length, failure: null }
}
