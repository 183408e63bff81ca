import { CATALOGUE } from '../canaries/catalogue.ts'
import { plant } from '../canaries/plant.ts'
import { type ConfigurationName, FORGETTING_CONFIGURATIONS } from './model-bounds.ts'
import { forgettingProductionOf } from './model-production.ts'
import { type ForgettingSearch, searchForgetting } from './model-search.ts'
import type { ModelBounds } from './model-world.ts'

/** Canaries that the model of a store that forgets finds, each with the configuration whose trace it has: T1, T2, T3 and T13. */
const CONFIGURATION_OF: Readonly<Record<string, ConfigurationName>> = {
  'frozen-take-granted': 'forgotten takes',
  'frozen-lease-grows': 'forgotten leases',
  'loss-not-restated': 'forgotten takes',
  'forgotten-refund-sent-again': 'forgotten refunds',
}

/** How such a canary was found, or not. */
export interface ForgettingCatch {
  readonly name: string
  readonly rules: readonly string[]
  readonly configuration: ConfigurationName
  readonly search: ForgettingSearch
}

/** @param names undefined for all */
export function forgettingBugs(names: readonly string[] | undefined): readonly string[] {
  return Object.keys(CONFIGURATION_OF).filter((name) => names?.includes(name) ?? true)
}

/**
 * Plants the bug, and searches breadth first until more is admitted than there is.
 * @param narrower bounds that differ from those of its configuration
 * @throws Error for a name that is not one of {@link forgettingBugs}
 */
export async function huntForgetting(
  name: string,
  statesMax: number,
  narrower: Partial<ModelBounds> = {},
): Promise<ForgettingCatch> {
  const canary = CATALOGUE.find((one) => one.name === name)
  const configuration = CONFIGURATION_OF[name]
  if (canary === undefined || configuration === undefined) throw new Error(`the model has no canary ${name}`)
  const planted = plant(canary)
  try {
    const production = await forgettingProductionOf(planted.folder)
    const bounds = { ...FORGETTING_CONFIGURATIONS[configuration], ...narrower }
    return { name, rules: canary.rules, configuration, search: searchForgetting(production, bounds, statesMax) }
  } finally {
    planted.remove()
  }
}
