import { CREDIT_CONFIGURATIONS } from './bounds.ts'
import { walkCredits } from './random.ts'
import { type CreditSearch, searchCredits } from './search.ts'

/** Walks of the random search. */
const WALKS = 1_000

interface NamedSearch {
  readonly name: string
  readonly what: string
  readonly search: () => CreditSearch
}

/** Every configuration, and the random search. @param statesMax of each */
export function creditSearches(statesMax: number): readonly NamedSearch[] {
  const walks = Math.min(WALKS, statesMax)
  const searches = Object.entries(CREDIT_CONFIGURATIONS).map(([name, bounds]) => {
    return { name: `credits: ${name}`, what: bounds.what, search: () => searchCredits(bounds, null, statesMax) }
  })
  return [
    ...searches,
    {
      name: 'credits: random walks',
      what: 'the same steps with larger numbers, three ids and four sources. States are not told apart',
      search: () => {
        const { transitions, steps, found } = walkCredits(1, walks, null)
        return { states: transitions, transitions, depth: steps, exhausted: false, found }
      },
    },
  ]
}

/** For the program that shares the searches among processes. */
export const CREDIT_SEARCHES: readonly string[] = creditSearches(0).map(({ name }) => name)
