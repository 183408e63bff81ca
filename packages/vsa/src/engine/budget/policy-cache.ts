import type { Plan } from '../../core/plan.ts'
import { compilePolicy } from '../../core/policies/compile.ts'
import type { Policy } from '../../core/policy.ts'

/** Plans kept for sharing; a service has a few tiers, not thousands. */
const PLANS_MAX = 1_000

/** Policies that mean the same share one compiled plan: a million budgets under `id => policy` need as many plans as there are tiers. */
export class PolicyCache {
  readonly #plans = new Map<string, Plan>()

  /** @throws TypeError, RangeError as `compilePolicy` */
  of(policy: Policy): Plan {
    const plan = compilePolicy(policy)
    const shared = this.#plans.get(plan.fingerprint)
    if (shared !== undefined) return shared
    if (this.#plans.size < PLANS_MAX) this.#plans.set(plan.fingerprint, plan)
    return plan
  }
}
