import { CREDIT_CONFIGURATIONS, type CreditConfiguration } from './bounds.ts'
import { type Bug, BUGS } from './bugs.ts'
import { type CreditSearch, searchCredits } from './search.ts'

interface CreditExpectation {
  /** The one that finds the canary among the fewest states. */
  readonly configuration: CreditConfiguration
  /** The laws by which it may be reported. */
  readonly laws: readonly string[]
}

const on = (configuration: CreditConfiguration, ...laws: readonly string[]): CreditExpectation => ({
  configuration,
  laws,
})

const EXPECTED: Readonly<Record<Bug, CreditExpectation>> = {
  'no id check': on('admissions', 'I1'),
  'id looked up on the first source': on('requests', 'I1'),
  'rows of drawn sources alone': on('waterfall', 'I1', 'R6'),
  'list not compared': on('requests', 'I1'),
  'admission answered by a reservation': on('requests', 'I1'),
  'split of the present': on('waterfall', 'I1'),
  'overage booked at a repeat': on('waterfall', 'V3'),
  'refusal leaves a row': on('admissions', 'R1'),
  'waterfall in part': on('admissions', 'V1'),
  'negative pool drawn': on('lowered limit', 'V1'),
  'admission charged 0': on('refunds', 'I1', 'I2'),
  'refunded admission repeated': on('refunds', 'I1'),
  'late grant given back': on('admissions', 'L1'),
  'refund not remembered': on('refunds', 'I1', 'I2'),
  'refund remembered by owner': on('refunds', 'I2'),
  'refund above the charge': on('refunds', 'I2'),
  'refund of an open one': on('reservations', 'I2'),
  'refund behind a reset': on('resets', 'L1'),
  'refund kept no longer': on('forgetting', 'I1', 'I2'),
  'returned in order': on('reservations', 'V3', 'I2'),
  'final one settled again': on('reservations', 'R4'),
  'expiry of a final one': on('reservations', 'R4', 'R2', "L2'"),
  'expired by row': on('reservations', 'R3'),
  'forgotten early': on('forgetting', 'I1', 'I2'),
  'forgotten by row': on('forgetting', 'R6'),
  'forgotten by list': on('pairs', 'R6'),
  'expiry before an intent': on('intents', 'T1'),
  'intents read before the time': on('intents', 'T1'),
  'intent of an open transaction': on('intents', 'T1'),
  'intent not deleted': on('intents', 'T1'),
  'intent deleted before it is applied': on('intents', 'T1'),
  'intent applied to a final one': on('intents', 'R4'),
  'mint without its id': on('mint intents', 'L3'),
  'mint intent dropped': on('mint intents', 'T1'),
}

export interface CreditCatch {
  readonly name: Bug
  readonly configuration: CreditConfiguration
  readonly isCaught: boolean
  readonly search: CreditSearch
}

/** The planted bugs of this model, of `names` those that are here. */
export function creditBugs(names: readonly string[] | undefined): readonly Bug[] {
  return BUGS.filter((bug) => names?.includes(bug) ?? true)
}

/** Leaves one protection out, and searches breadth first until a law breaks. */
export function huntCredits(name: Bug, statesMax: number): CreditCatch {
  const { configuration, laws } = EXPECTED[name]
  const search = searchCredits(CREDIT_CONFIGURATIONS[configuration], name, statesMax)
  return { name, configuration, isCaught: search.found !== null && laws.includes(search.found.law), search }
}
