import { check, type Part } from './part.ts'
import { runModel, runModelCanaries } from './programs.ts'

/** Of each configuration. `npm run model` goes on to the end. */
const STATES_MAX = 100_000

/** Every interleaving within small bounds. */
export const modelPart: Part = {
  name: 'model',
  expectedSeconds: 150,
  run: async (signal) => {
    const { configurations, states, transitions } = await runModel(STATES_MAX, signal)
    return {
      checks: configurations.map(({ name, states, exhausted, violation }) => {
        if (violation !== null) return { name, failure: `${violation.law}: ${violation.what}` }
        return check(name, exhausted || states >= STATES_MAX, `ended after ${states} states`)
      }),
      skipped: [],
      summary: `${states} states and ${transitions} transitions in ${configurations.length} configurations, no violation`,
    }
  },
}

/** The model finds planted bugs. */
export const modelCanariesPart: Part = {
  name: 'model canaries',
  expectedSeconds: 10,
  run: async (signal) => {
    const results = await runModelCanaries([], signal)
    const caught = results.filter((result) => result.caught)
    return {
      checks: results.map((result) =>
        check(result.name, result.caught, `not caught; reported: ${result.law ?? 'nothing'}`),
      ),
      skipped: [],
      summary: `the model found ${caught.length} of ${results.length} planted bugs`,
    }
  },
}
