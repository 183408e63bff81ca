import { CREDIT_SEARCHES } from '../credits/searches.ts'
import { FORGETTING_CONFIGURATIONS } from '../forgetting/model-bounds.ts'
import { CONFIGURATIONS } from '../model/bounds.ts'
import { check, type Part } from './part.ts'
import { runModel, runModelCanaries, type ModelReport } from './programs.ts'

/** For each configuration. `npm run model` searches without this bound. */
const STATES_MAX = 100_000
/** A search uses one core. */
const PROCESSES = 2

/** Every interleaving within small bounds. */
export const modelPart: Part = {
  name: 'model',
  expectedSeconds: 90,
  run: async (signal) => {
    const reports = await Promise.all(Array.from({ length: PROCESSES }, (_, index) => searchShare(index, signal)))
    const configurations = reports.flatMap((report) => report.configurations)
    const [states, transitions] = [sum(reports, 'states'), sum(reports, 'transitions')]
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

/** Searches every second configuration, from the one at `index`. */
function searchShare(index: number, signal: AbortSignal): Promise<ModelReport> {
  const all = [...Object.keys(FORGETTING_CONFIGURATIONS), ...CREDIT_SEARCHES, ...CONFIGURATIONS.map(({ name }) => name)]
  const names = all.filter((_, at) => at % PROCESSES === index)
  return runModel(STATES_MAX, names, signal)
}

function sum(reports: readonly ModelReport[], name: 'states' | 'transitions'): number {
  return reports.reduce((total, report) => total + report[name], 0)
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
