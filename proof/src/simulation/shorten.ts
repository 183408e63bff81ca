import type { Library } from './library.ts'
import { type RunResult, runScript } from './run-script.ts'
import type { Action, Script, FaultRates } from './script.ts'

/** Runs of one shortening at most. */
const RUNS_MAX = 400

/** A shorter script that breaks the same law: fewer faults, then fewer actions, until nothing more can be removed or {@link RUNS_MAX} is reached. */
export async function shorten(library: Library, script: Script, law: string): Promise<Script> {
  let runs = 0
  const stillFails = async (candidate: Script): Promise<boolean> => {
    runs += 1
    return (await runScript(library, candidate)).violations.some((violation) => violation.law === law)
  }
  let best = script
  for (const fault of Object.keys(script.setting.faultRates) as (keyof FaultRates)[]) {
    if (fault.endsWith('MaxMs') || best.setting.faultRates[fault] === 0) continue
    const setting = { ...best.setting, faultRates: { ...best.setting.faultRates, [fault]: 0 } }
    const candidate = { ...best, setting }
    if (await stillFails(candidate)) best = candidate
  }
  // Removes halves, quarters, … single actions as long as the script still fails.
  for (
    let size = Math.ceil(best.actions.length / 2);
    size >= 1 && runs < RUNS_MAX;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < best.actions.length && runs < RUNS_MAX;) {
      const actions: Action[] = [...best.actions.slice(0, from), ...best.actions.slice(from + size)]
      const candidate = { ...best, actions }
      if (await stillFails(candidate)) best = candidate
      else from += size
    }
  }
  return best
}

/** The last run of a script, with its trace. */
export async function traceOf(library: Library, script: Script): Promise<RunResult> {
  return runScript(library, script, true)
}
