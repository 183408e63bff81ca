import type { Decision } from '../../../packages/vsa/dist/index.js'
import type { Rng } from './rng.ts'

/** The decisions that one process keeps: a service stores them with its orders. */
const KEPT_MAX = 12

/** A decision, and the keys of the budgets that were asked for. */
export interface PastDecision {
  readonly decision: Decision
  readonly keys: readonly string[]
}

/** What may be wrong with giving a decision back; `together` is right: it is about several budgets. */
export type DecisionKind = 'denied' | 'unaccounted' | 'foreign' | 'together'

/** The last decisions of one process. */
export class PastDecisions {
  #kept: PastDecision[] = []

  add(past: PastDecision): void {
    this.#kept = [...this.#kept.slice(1 - KEPT_MAX), past]
  }

  /** @param key a budget that a `foreign` one is not about */
  pick(rng: Rng, kind: DecisionKind, key: string): PastDecision | undefined {
    return rng.pickAny(this.#kept.filter((past) => isOf(past, kind, key)))
  }
}

function isOf({ decision, keys }: PastDecision, kind: DecisionKind, key: string): boolean {
  switch (kind) {
    case 'denied':
      return !decision.admitted
    case 'unaccounted':
      return decision.unaccounted === true
    case 'foreign':
      return decision.admitted && decision.unaccounted !== true && !keys.includes(key)
    case 'together':
      return decision.admitted && decision.unaccounted !== true && keys.length > 1
  }
}
