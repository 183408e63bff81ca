import { check, type Part } from './part.ts'
import { runCanaries } from './programs.ts'

/** The simulation finds planted bugs. */
export const canariesPart: Part = {
  name: 'canaries',
  expectedSeconds: 120,
  run: async (signal) => {
    const results = await runCanaries([], signal)
    const caught = results.filter((result) => result.caught)
    return {
      checks: results.map((result) =>
        check(result.name, result.caught, `not caught; reported: ${result.law ?? 'nothing'} ${result.what ?? ''}`),
      ),
      skipped: [],
      summary: `the simulation found ${caught.length} of ${results.length} planted bugs`,
    }
  },
}
