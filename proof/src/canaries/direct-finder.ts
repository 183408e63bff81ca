import { Violations } from '../simulation/violations.ts'
import { DIRECT_CHECKS } from './direct-checks.ts'
import type { FinderTask } from './find.ts'
import type { Tried } from './tried.ts'

/** Runs every direct check against the library with the bug in it. */
export async function* tryDirectChecks({ folder }: Pick<FinderTask, 'folder'>): AsyncGenerator<Tried> {
  for (const [seed, check] of Object.values(DIRECT_CHECKS).entries()) {
    const violations = new Violations()
    try {
      await check(folder)
    } catch (error) {
      violations.add(error)
    }
    yield { seed, reported: violations.reported() }
  }
}
