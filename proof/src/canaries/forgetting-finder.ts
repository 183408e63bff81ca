import { runForgetting } from '../forgetting/run.ts'
import { loadLibrary } from '../simulation/library.ts'
import { Violations } from '../simulation/violations.ts'
import type { FinderTask } from './find.ts'
import type { Tried } from './tried.ts'

/** Runs the simulation of a store that forgets, seed after seed. */
export async function* tryForgetting({ folder, from, count }: FinderTask): AsyncGenerator<Tried> {
  const library = await loadLibrary(folder)
  for (let seed = from; seed < from + count; seed += 1) {
    const violations = new Violations()
    try {
      await runForgetting(library, seed)
    } catch (error) {
      violations.add(error)
    }
    yield { seed, reported: violations.reported() }
  }
}
