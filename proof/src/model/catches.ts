import { CATALOGUE, type ExpectedCanary } from '../canaries/catalogue.ts'
import { plant } from '../canaries/plant.ts'
import { type Bounds, CONFIGURATIONS } from './bounds.ts'
import { productionOf } from './production.ts'
import { type Found, search } from './search.ts'
import { Steps } from './steps.ts'

interface Expectation {
  /** The one that finds the canary among the fewest states. */
  readonly configuration: string
  /** Laws by which this model may report it, besides those of the catalogue. */
  readonly laws?: readonly string[]
}

/** The canaries that this model can express. */
const EXPECTED: Readonly<Record<string, Expectation>> = {
  // Granted units are granted a second time.
  'batch-half-applied': { configuration: 'pairs', laws: ['L1'] },
  'replay-applied-again': { configuration: 'leases' },
  'ended-epoch-accepted': { configuration: 'order' },
  'old-seq-applied': { configuration: 'order' },
  // An owner does not learn that its closing batch was applied.
  'fenced-without-outcome': { configuration: 'endings', laws: ['S9'] },
  // An owner does not learn that its closing batch was applied.
  'fenced-one-seq-behind': { configuration: 'endings', laws: ['S9'] },
  'epoch-given-twice': { configuration: 'leases' },
  'spent-stays-leased': { configuration: 'leases' },
  'refund-beyond-used': { configuration: 'refunds' },
  'refund-made-of-nothing': { configuration: 'durable' },
  'minted-twice': { configuration: 'mints' },
  'id-conflict-minted': { configuration: 'mints' },
  'mint-id-forgotten': { configuration: 'mints' },
  'take-in-part': { configuration: 'pairs' },
  'take-of-the-first-pool': { configuration: 'pairs' },
  'take-rounded-up': { configuration: 'takes' },
  'lease-from-an-empty-pool': { configuration: 'durable' },
  'lease-without-debit': { configuration: 'leases' },
  'settlement-unwritten': { configuration: 'leases' },
  'wanted-lease-grows': { configuration: 'wants' },
  'grows-past-burn-max': { configuration: 'wants' },
  // A caller is not informed of units that the store granted.
  'taken-units-from-the-rows': { configuration: 'takes', laws: ['L3'] },
  // The owner detects an impossible answer and quarantines the row.
  'lease-answered-as-it-was': { configuration: 'leases', laws: ['S6'] },
  // The units may have been admitted.
  'dead-lease-returned': { configuration: 'leases', laws: ['L1'] },
  'dead-lease-dropped': { configuration: 'order' },
  'dead-lease-burned-for-ever': { configuration: 'order' },
  'reaped-early': { configuration: 'periods' },
  'late-owner-reaps-itself': { configuration: 'order' },
  // The owner spends units that are no longer leased.
  'living-lease-burned': { configuration: 'order', laws: ['L2'] },
  'close-keeps-the-epoch-open': { configuration: 'endings' },
  // Leases are left on a row that was removed.
  'leased-row-removed': { configuration: 'periods', laws: ['L2'] },
  'spent-is-forgotten': { configuration: 'leases' },
  'refund-accepted-unsaid': { configuration: 'durable' },
  // The batch before it never arrived, so the store sees a gap.
  'new-seq-after-unknown': { configuration: 'leases', laws: ['S2'] },
  'return-deducted-on-acknowledgement': { configuration: 'leases' },
  'sent-spending-forgotten': { configuration: 'leases' },
  'asked-counts-as-had': { configuration: 'leases' },
  'spent-since-forgotten': { configuration: 'wants' },
}

export interface Expected {
  readonly canary: ExpectedCanary
  readonly bounds: Bounds
  /** The laws by which the canary may be reported. Any other law is no catch. */
  readonly laws: readonly string[]
}

/** How a canary was found. */
export interface Catch {
  readonly canary: ExpectedCanary
  /** A law that the bug breaks was the one that was reported. */
  readonly isCaught: boolean
  readonly configuration: string
  readonly states: number
  /** Null when the bug was planted and no law broke. */
  readonly found: Found | null
}

/** @throws Error for a name that is in none of the lists */
export function expected(names: readonly string[] | undefined): readonly Expected[] {
  return (names ?? Object.keys(EXPECTED)).map((name) => {
    const canary = CATALOGUE.find((one) => one.name === name)
    if (canary === undefined) throw new Error(`there is no canary ${name}`)
    const expectation = EXPECTED[name]
    const bounds = CONFIGURATIONS.find((one) => one.name === expectation?.configuration)
    if (bounds === undefined) throw new Error(`the model has no configuration for canary ${name}`)
    return { canary, bounds, laws: [...canary.laws, ...(expectation?.laws ?? [])] }
  })
}

/** Plants the bug, and searches breadth first until a law breaks. */
export async function hunt({ canary, bounds, laws }: Expected, statesMax: number): Promise<Catch> {
  const planted = plant(canary)
  try {
    const steps = new Steps(await productionOf(planted.folder), bounds)
    const { found, states } = search(bounds, steps, { statesMax, progress: () => undefined })
    const isCaught = found !== null && laws.includes(found.law)
    return { canary, isCaught, configuration: bounds.name, states, found }
  } finally {
    planted.remove()
  }
}
