import type { Catch } from './catches.ts'
import type { Bounds } from './bounds.ts'
import type { Found, Searched } from './search.ts'

/** The result of one search on one line, with the trace when a law broke. */
export function searchText(
  bounds: Pick<Bounds, 'name' | 'what'>,
  { states, transitions, depth, exhausted, found }: Searched,
  seconds: number,
): string {
  const end = found !== null ? 'VIOLATION' : exhausted ? 'exhausted' : 'bound reached'
  const figures = [
    `${thousands(states).padStart(9)} states`,
    `${thousands(transitions).padStart(10)} transitions`,
    `depth ${String(depth).padStart(2)}`,
    `${seconds.toFixed(1).padStart(6)} s`,
  ]
  const line = `${bounds.name.padEnd(14)} ${figures.join('  ')}  ${end.padEnd(13)} ${bounds.what}`
  return found === null ? line : `${line}\n${foundText(found)}`
}

/** The shortest counterexample, step by step. */
export function foundText({ what, trace }: Found): string {
  const steps = trace.map((step, index) => `  ${String(index + 1).padStart(3)}. ${step}`)
  return [...steps, `       ${what}`].join('\n')
}

/** One canary, on one line. */
export function catchText({ canary, configuration, states, found }: Catch): string {
  const { name, rules, what } = canary
  const how =
    found === null
      ? `SURVIVED ${thousands(states)} states of ${configuration}`
      : `${String(found.trace.length).padStart(2)} steps  ${thousands(states).padStart(7)} states of ${configuration.padEnd(12)} ${found.law.padEnd(4)}`
  return `${rules.join(' ').padEnd(8)} ${name.padEnd(38)} ${how} ${what}`
}

export function thousands(count: number): string {
  return count.toLocaleString('en')
}
