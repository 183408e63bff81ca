import type { Canary } from '../canaries/canary.ts'
import { GATE_CANARIES } from '../canaries/gate-canaries.ts'
import { OWNER_CANARIES } from '../canaries/owner-canaries.ts'
import { plant } from '../canaries/plant.ts'
import { ROW_CANARIES } from '../canaries/row-canaries.ts'
import { SESSION_CANARIES } from '../canaries/session-canaries.ts'
import { STORE_CANARIES } from '../canaries/store-canaries.ts'
import { type Bounds, CONFIGURATIONS } from './bounds.ts'
import { productionOf } from './production.ts'
import { type Found, search } from './search.ts'
import { Steps } from './steps.ts'

const ALL: readonly Canary[] = [
  ...STORE_CANARIES,
  ...ROW_CANARIES,
  ...SESSION_CANARIES,
  ...OWNER_CANARIES,
  ...GATE_CANARIES,
]

/** The canaries that this model can express, and the configuration that finds each among the fewest states. */
const EXPECTED: Readonly<Record<string, string>> = {
  'batch-half-applied': 'pairs',
  'replay-applied-again': 'leases',
  'ended-epoch-accepted': 'order',
  'old-seq-applied': 'order',
  'replay-renews-nothing': 'leases',
  'fenced-without-outcome': 'endings',
  'fenced-one-seq-behind': 'endings',
  'epoch-given-twice': 'leases',
  'spent-stays-leased': 'leases',
  'refund-beyond-used': 'refunds',
  'refund-made-of-nothing': 'durable',
  'minted-twice': 'mints',
  'id-conflict-minted': 'mints',
  'mint-id-forgotten': 'mints',
  'take-in-part': 'pairs',
  'take-of-the-first-pool': 'pairs',
  'take-rounded-up': 'takes',
  'lease-from-an-empty-pool': 'durable',
  'lease-without-debit': 'leases',
  'settlement-unwritten': 'leases',
  'wanted-lease-grows': 'wants',
  'grows-past-burn-max': 'wants',
  'taken-units-from-the-rows': 'takes',
  'lease-answered-as-it-was': 'leases',
  'dead-lease-returned': 'leases',
  'dead-lease-dropped': 'order',
  'dead-lease-burned-for-ever': 'order',
  'reaped-early': 'periods',
  'late-owner-reaps-itself': 'order',
  'living-lease-burned': 'order',
  'close-keeps-the-epoch-open': 'endings',
  'leased-row-removed': 'periods',
  'spent-is-forgotten': 'leases',
  'refund-accepted-unsaid': 'durable',
  'new-seq-after-unknown': 'leases',
  'return-deducted-on-acknowledgement': 'leases',
  'sent-spending-forgotten': 'leases',
  'asked-counts-as-had': 'leases',
  'spent-since-forgotten': 'wants',
}

export interface Expected {
  readonly canary: Canary
  readonly bounds: Bounds
}

/** How a canary was found. */
export interface Catch {
  readonly canary: Canary
  readonly configuration: string
  readonly states: number
  /** Null when the bug was planted and no law broke. */
  readonly found: Found | null
}

/** @throws Error for a name that is in none of the lists */
export function expected(names: readonly string[] | undefined): readonly Expected[] {
  return (names ?? Object.keys(EXPECTED)).map((name) => {
    const canary = ALL.find((one) => one.name === name)
    if (canary === undefined) throw new Error(`there is no canary ${name}`)
    const bounds = CONFIGURATIONS.find((one) => one.name === EXPECTED[name])
    if (bounds === undefined) throw new Error(`canary ${name} is none that the model expresses`)
    return { canary, bounds }
  })
}

/** Plants the bug, and searches breadth first until a law breaks. */
export async function hunt({ canary, bounds }: Expected, statesMax: number): Promise<Catch> {
  const planted = plant(canary)
  try {
    const steps = new Steps(await productionOf(planted.folder), bounds)
    const { found, states } = search(bounds, steps, { statesMax, progress: () => undefined })
    return { canary, configuration: bounds.name, states, found }
  } finally {
    planted.remove()
  }
}
