import type { Library } from './library.ts'
import { type RunResult, runScript } from './run-script.ts'
import type { Action, Script, Weather } from './script.ts'

/** Runs that one shortening may take: some seconds. */
const RUNS_MAX = 400

/** A script that breaks the same law with less: fewer faults, then fewer actions, until nothing more can be left out or patience ends. */
export async function shorten(library: Library, script: Script, law: string): Promise<Script> {
  let runs = 0
  const stillFails = async (candidate: Script): Promise<boolean> => {
    runs += 1
    return (await runScript(library, candidate)).violation?.law === law
  }
  let best = script
  for (const fault of Object.keys(script.setting.weather) as (keyof Weather)[]) {
    if (fault.endsWith('MaxMs') || best.setting.weather[fault] === 0) continue
    const setting = { ...best.setting, weather: { ...best.setting.weather, [fault]: 0 } }
    const candidate = { ...best, setting }
    if (await stillFails(candidate)) best = candidate
  }
  // Halves, quarters, … single actions: whatever can go without ending the failure goes.
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
