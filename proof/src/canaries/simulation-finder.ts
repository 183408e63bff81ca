import { corpusEntries } from '../simulation/corpus.ts'
import { drawScript } from '../simulation/draw-script.ts'
import { loadLibrary } from '../simulation/library.ts'
import { runScript } from '../simulation/run-script.ts'
import type { Script } from '../simulation/script.ts'
import type { SeedKind } from './expected-laws.ts'
import type { FinderTask } from './find.ts'
import type { Tried } from './tried.ts'

/**
 * Runs seed after seed of the simulation. A canary for which the corpus keeps a script is tried with that script alone: the script must still
 * find what it was kept for.
 */
export async function* trySeeds({ folder, canary, from, count }: FinderTask): AsyncGenerator<Tried> {
  const library = await loadLibrary(folder)
  const kept = corpusEntries().filter((entry) => entry.canary === canary.name)
  for (const { script } of kept) yield { seed: from, reported: (await runScript(library, script)).violations }
  if (kept.length > 0) return
  let left = count
  for (let seed = from; left > 0; seed += 1) {
    const script = drawScript(seed)
    if (!isOfKind(script, canary.seeds)) continue
    left -= 1
    const { violations } = await runScript(library, script)
    yield { seed, reported: violations }
  }
}

function isOfKind({ setting }: Script, kind: SeedKind | undefined): boolean {
  switch (kind) {
    case undefined:
      return true
    case 'sqlite':
      return setting.store !== 'memory'
    case 'wide-sqlite':
      return setting.store !== 'memory' && setting.wide !== null
  }
}
