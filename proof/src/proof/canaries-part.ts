import { check, type Part } from './part.ts'
import { runCanaries } from './programs.ts'

/** Every planted bug is found, by a law that it breaks. */
export const canariesPart: Part = {
  name: 'canaries',
  expectedSeconds: 130,
  run: async (signal) => {
    const results = await runCanaries([], signal)
    const caught = results.filter((result) => result.caught)
    return {
      checks: results.map((result) =>
        check(result.name, result.caught, `not caught; reported: ${result.law ?? 'nothing'} ${result.what ?? ''}`),
      ),
      skipped: [],
      summary: `${caught.length} of ${results.length} planted bugs found`,
    }
  },
}
