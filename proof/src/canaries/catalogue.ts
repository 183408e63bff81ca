import type { Canary } from './canary.ts'
import { CREDIT_CANARIES } from './credit-canaries.ts'
import { EXPECTATIONS, type Expectation } from './expected-laws.ts'
import { FENCING_CANARIES } from './fencing-canaries.ts'
import { FORGETTING_CANARIES } from './forgetting-canaries.ts'
import { GATE_CANARIES } from './gate-canaries.ts'
import { GIVING_BACK_CANARIES } from './giving-back-canaries.ts'
import { LAW_CANARIES } from './law-canaries.ts'
import { OWNER_CANARIES } from './owner-canaries.ts'
import { DELETION_CANARIES } from './deletion-canaries.ts'
import { RESERVATION_CANARIES } from './reservation-canaries.ts'
import { ROW_CANARIES } from './row-canaries.ts'
import { SESSION_CANARIES } from './session-canaries.ts'
import { SQLITE_CANARIES } from './sqlite-canaries.ts'
import { STORE_CANARIES } from './store-canaries.ts'
import { UPKEEP_CANARIES } from './upkeep-canaries.ts'

/** A canary, the run that must find it, and the laws by which it may be reported. */
export interface ExpectedCanary extends Canary, Expectation {}

/** Every canary there is. Each is planted for the run that can find it. */
export const CATALOGUE: readonly ExpectedCanary[] = joined([
  ...STORE_CANARIES,
  ...ROW_CANARIES,
  ...UPKEEP_CANARIES,
  ...SQLITE_CANARIES,
  ...CREDIT_CANARIES,
  ...SESSION_CANARIES,
  ...OWNER_CANARIES,
  ...FENCING_CANARIES,
  ...FORGETTING_CANARIES,
  ...GATE_CANARIES,
  ...LAW_CANARIES,
  ...RESERVATION_CANARIES,
  ...DELETION_CANARIES,
  ...GIVING_BACK_CANARIES,
])

/** @throws Error for a canary without an expectation, and for an expectation without a canary */
function joined(canaries: readonly Canary[]): readonly ExpectedCanary[] {
  const names = new Set(canaries.map(({ name }) => name))
  if (names.size !== canaries.length) throw new Error('two canaries have one name')
  for (const name of Object.keys(EXPECTATIONS)) if (!names.has(name)) throw new Error(`there is no canary ${name}`)
  return canaries.map((canary) => {
    const expectation = EXPECTATIONS[canary.name]
    if (expectation === undefined) throw new Error(`canary ${canary.name} has no entry in expected-laws.ts`)
    return { ...canary, ...expectation }
  })
}
