import { ELSEWHERE, SCENARIOS, type Scenario } from './scenarios.ts'
import type { RunResult } from './run-script.ts'
import type { Failure } from './run-seeds.ts'
import type { Script } from './script.ts'
import type { Totals } from './totals.ts'

const whole = new Intl.NumberFormat('en-US')
/** With fewer seeds a scenario may be missed by chance. */
const SEEDS_FOR_ALL = 500

/** Scenarios that should have happened and did not; a short run need reach none. */
export function missedIn({ seeds, scenarios }: Totals): readonly Scenario[] {
  if (seeds < SEEDS_FOR_ALL) return []
  return (Object.keys(SCENARIOS) as Scenario[]).filter((scenario) => (scenarios[scenario] ?? 0) === 0)
}

/** The report of a run in which every law held. */
export function totalsText(totals: Totals, seconds: number): string {
  const { seeds, operations, exchanges, records, events, simulatedMs, stores, faults, scenarios } = totals
  const lines = [
    `${whole.format(seeds)} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} seeds/s), ${(simulatedMs / 3_600_000).toFixed(1)} simulated hours`,
    `${whole.format(operations)} operations, ${whole.format(exchanges)} exchanges, ${whole.format(records)} records; the laws were checked after each of ${whole.format(events)} events`,
    `stores: ${Object.entries(stores)
      .map(([store, count]) => `${store} ${whole.format(count)}`)
      .join(', ')}`,
    '',
    'faults',
    ...Object.entries(faults).map(([kind, times]) => `  ${kind.padEnd(18)} ${whole.format(times).padStart(12)}`),
    '',
    'scenarios',
    ...Object.entries(SCENARIOS).map(([scenario, what]) => {
      const times = whole.format(scenarios[scenario as Scenario] ?? 0)
      return `  ${scenario.padEnd(40)} ${times.padStart(12)}  ${what}`
    }),
    ...Object.entries(ELSEWHERE).map(
      ([scenario, where]) => `  ${scenario.padEnd(40)} ${'elsewhere'.padStart(12)}  ${where}`,
    ),
  ]
  return lines.join('\n')
}

/** A failure, and the shortest script and trace that were found for it. */
export function failureText({ seed, laws, what }: Failure, short: Script, { trace, violations }: RunResult): string {
  const { faultRates, ...setting } = short.setting
  return [
    `VIOLATION of ${laws.join(', ')} with seed ${seed}`,
    what,
    '',
    `shortened to ${short.actions.length} actions: ${violations[0]?.what ?? 'it no longer fails'}`,
    `setting ${JSON.stringify(setting)}`,
    `faultRates ${JSON.stringify(faultRates)}`,
    ...trace,
    '',
    `npm run sim -- --seed ${seed} --trace`,
  ].join('\n')
}
