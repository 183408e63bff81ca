import { runForgetting } from '../forgetting/run.ts'
import { type Library, loadLibrary } from '../simulation/library.ts'
import { Violations } from '../simulation/violations.ts'
import type { FinderTask } from './find.ts'
import type { Tried } from './tried.ts'

/** Seeds that have found canaries after more than 60 others. They are tried first, and again in their turn: to look for them each time takes minutes. */
const KEPT_SEEDS = [68, 76, 90, 108]

/** Runs the simulation of a store that forgets: the kept seeds, then seed after seed. */
export async function* tryForgetting({ folder, from, count }: FinderTask): AsyncGenerator<Tried> {
  const library = await loadLibrary(folder)
  // A worker that is lost goes on behind the last seed that was told, so these are told as none of the others.
  for (const kept of KEPT_SEEDS) yield { seed: from - 1, reported: await reportedBy(library, kept) }
  for (let seed = from; seed < from + count; seed += 1) yield { seed, reported: await reportedBy(library, seed) }
}

async function reportedBy(library: Library, seed: number): Promise<Tried['reported']> {
  const violations = new Violations()
  try {
    await runForgetting(library, seed)
  } catch (error) {
    violations.add(error)
  }
  return violations.reported()
}
