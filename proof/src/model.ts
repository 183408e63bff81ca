import { parseArgs } from 'node:util'
import { bar, liveLine } from '../../packages/vsa/dist/cli/progress.js'
import { type CreditCatch, creditBugs, huntCredits } from './credits/canaries.ts'
import { creditSearches } from './credits/searches.ts'
import { type ForgettingCatch, forgettingBugs, huntForgetting } from './forgetting/hunts.ts'
import { FORGETTING_CONFIGURATIONS } from './forgetting/model-bounds.ts'
import { forgettingProductionOf } from './forgetting/model-production.ts'
import { searchForgetting } from './forgetting/model-search.ts'
import { CONFIGURATIONS } from './model/bounds.ts'
import { type Catch, expected, hunt } from './model/catches.ts'
import { catchText, foundText, searchText, thousands } from './model/model-text.ts'
import { productionOf } from './model/production.ts'
import { search, type Searched } from './model/search.ts'
import { Steps } from './model/steps.ts'
import { SHIPPED } from './subject.ts'

/*
 * `npm run model`: every interleaving of two owners, a store and a network that loses, repeats and delays, within the bounds of
 * model/bounds.ts, breadth first, through the production transition functions. Exits 1 when a law breaks, or when a canary survives.
 */

/** No canary takes that many states: one that is not found by then survives. */
const CANARY_STATES_MAX = 300_000

const FORGETTING_STATES_MAX = 200_000

const { values } = parseArgs({
  options: {
    configuration: { type: 'string', multiple: true },
    states: { type: 'string' },
    canary: { type: 'string', multiple: true },
    canaries: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

interface Report extends Omit<Searched, 'found'> {
  readonly name: string
  readonly seconds: number
  readonly violation: Searched['found']
}

const line = liveLine(!values.json)
const startedAt = performance.now()
if (values.canaries || values.canary !== undefined) await huntAll()
else tellSearches([...(await searchForgettingStores()), ...searchAllCredits(), ...(await searchAll())])

/** A store that forgets has a model of its own, with one row. */
async function searchForgettingStores(): Promise<readonly Report[]> {
  const production = await forgettingProductionOf(SHIPPED)
  const statesMax = Math.min(FORGETTING_STATES_MAX, Number(values.states ?? Infinity))
  const wanted = Object.entries(FORGETTING_CONFIGURATIONS).filter(([name]) => isWanted(name))
  return wanted.map(([name, bounds]) => {
    line.show(() => name)
    const from = performance.now()
    const { trace, ...searched } = searchForgetting(production, bounds, statesMax)
    const violation = trace === null ? null : { law: 'L1', what: `more than ${bounds.limit} admitted`, trace }
    line.done()
    const report = { name, ...searched, drained: 0, seconds: since(from), violation }
    if (!values.json) console.log(forgettingSearchText(report))
    return report
  })
}

/** Durable credits have a specification of their own: no production code follows it yet. */
function searchAllCredits(): readonly Report[] {
  const statesMax = Number(values.states ?? Infinity)
  return creditSearches(statesMax)
    .filter(({ name }) => isWanted(name))
    .map(({ name, what, search }) => {
      line.show(() => name)
      const from = performance.now()
      const { found, ...searched } = search()
      const seconds = since(from)
      line.done()
      if (!values.json) console.log(searchText({ name, what }, { ...searched, drained: 0, found }, seconds))
      return { name, ...searched, drained: 0, seconds, violation: found }
    })
}

function forgettingSearchText({ name, states, depth, exhausted, violation }: Report): string {
  const end = exhausted ? 'all of them' : `cut at depth ${depth}`
  const verdict = violation === null ? 'no violation' : 'L1 BROKEN'
  const steps = (violation?.trace ?? []).map((what, at) => `\n  ${at + 1}. ${what}`)
  return `${name}: ${thousands(states)} states, ${end}, ${verdict}${steps.join('')}`
}

function isWanted(name: string): boolean {
  return values.configuration?.includes(name) ?? true
}

async function searchAll(): Promise<readonly Report[]> {
  const production = await productionOf(SHIPPED)
  const wanted = CONFIGURATIONS.filter(({ name }) => isWanted(name))
  const reports: Report[] = []
  for (const bounds of wanted) {
    const statesMax = Math.min(bounds.statesMax, Number(values.states ?? Infinity))
    const progress = (states: number, open: number): void =>
      line.show(() => `${bounds.name}: ${thousands(states)} states, ${thousands(open)} on the next level`)
    const from = performance.now()
    const { found, ...searched } = search(bounds, new Steps(production, bounds), { statesMax, progress })
    const seconds = since(from)
    line.done()
    reports.push({ name: bounds.name, ...searched, seconds, violation: found })
    if (!values.json) console.log(searchText(bounds, { ...searched, found }, seconds))
  }
  return reports
}

function tellSearches(reports: readonly Report[]): void {
  const states = reports.reduce((sum, report) => sum + report.states, 0)
  const transitions = reports.reduce((sum, report) => sum + report.transitions, 0)
  const violations = reports.filter(({ violation }) => violation !== null).length
  const memoryMb = Math.round(process.resourceUsage().maxRSS / 1_024)
  const seconds = since(startedAt)
  // The odds that two different states of one search share a 64-bit hash, so that one is not looked at: about N² / 2^65.
  const missedOdds = reports.reduce((sum, report) => sum + report.states ** 2 / 2 ** 65, 0)
  if (values.json) {
    console.log(
      JSON.stringify({ configurations: reports, states, transitions, violations, missedOdds, memoryMb, seconds }),
    )
  } else {
    const odds = `odds of a state missed 1 in ${thousands(Math.round(1 / missedOdds))}`
    console.log(
      `\n${thousands(states)} distinct states, ${thousands(transitions)} transitions, ${violations} violations, ${seconds.toFixed(1)} s, ${thousands(memoryMb)} MiB, ${odds}`,
    )
  }
  if (violations > 0 || reports.length === 0) process.exitCode = 1
}

async function huntAll(): Promise<void> {
  const bugs = creditBugs(values.canary)
  const losses = forgettingBugs(values.canary)
  const names = values.canary?.filter((name) => !bugs.some((bug) => bug === name) && !losses.includes(name))
  const wanted = expected(names)
  const caught: Catch[] = []
  for (const one of wanted) {
    line.show(
      () => `${bar(caught.length / wanted.length)} ${caught.length} of ${wanted.length} canaries: ${one.canary.name}`,
    )
    const found = await hunt(one, CANARY_STATES_MAX)
    caught.push(found)
    line.done()
    if (values.json) continue
    console.log(catchText(found))
    if (found.found !== null) console.log(`${foundText(found.found)}\n`)
  }
  const credits = bugs.map((bug) => {
    line.show(() => bug)
    const found = huntCredits(bug, CANARY_STATES_MAX)
    line.done()
    if (!values.json) console.log(creditText(found))
    return found
  })
  const forgotten: ForgettingCatch[] = []
  for (const name of losses) {
    line.show(() => name)
    const found = await huntForgetting(name, CANARY_STATES_MAX)
    forgotten.push(found)
    line.done()
    if (!values.json) console.log(forgottenText(found))
  }
  tellCanaries(caught, credits, forgotten)
}

function forgottenText({ name, configuration, search: { trace, states } }: ForgettingCatch): string {
  if (trace === null) return `SURVIVED ${name}: ${thousands(states)} states of ${configuration}`
  const how = `${name}: ${trace.length} steps, ${thousands(states)} states of ${configuration}, L1`
  return [how, ...trace.map((what, at) => `  ${at + 1}. ${what}`), ''].join('\n')
}

function creditText({ name, configuration, search: { found, states } }: CreditCatch): string {
  if (found === null) return `SURVIVED ${name}: ${thousands(states)} states of ${configuration}`
  const how = `${found.trace.length} steps, ${thousands(states)} states of ${configuration}, ${found.law}`
  return `${name}: ${how}\n${foundText(found)}\n`
}

function tellCanaries(
  caught: readonly Catch[],
  credits: readonly CreditCatch[],
  losses: readonly ForgettingCatch[],
): void {
  const forgotten = losses.map(({ search: { trace, states }, ...one }) => {
    const found = trace === null ? null : { law: 'L1', what: 'more is admitted than there is', trace }
    return { ...one, states, found, isCaught: found !== null }
  })
  const count = caught.length + credits.length + forgotten.length
  const survivors = [...caught, ...credits, ...forgotten].filter(({ isCaught }) => !isCaught)
  if (values.json) {
    const library = caught.map(({ canary, ...one }) => ({ name: canary.name, rules: canary.rules, ...one }))
    const specified = credits.map(({ name, search, ...one }) => ({ name, rules: [], ...one, ...search }))
    console.log(
      JSON.stringify(
        [...library, ...specified, ...forgotten].map(({ name, rules, isCaught, configuration, states, found }) => ({
          ...{ name, rules, caught: isCaught, configuration, states, steps: found?.trace.length ?? null },
          ...{ law: found?.law ?? null, what: found?.what ?? null, trace: found?.trace ?? [] },
        })),
      ),
    )
  } else {
    console.log(`${count - survivors.length} of ${count} canaries found in ${since(startedAt).toFixed(1)} s`)
  }
  if (survivors.length > 0 || count === 0) process.exitCode = 1
}

function since(ms: number): number {
  return (performance.now() - ms) / 1_000
}
