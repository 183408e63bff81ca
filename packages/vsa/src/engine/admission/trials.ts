import { invariant } from '../../core/errors.ts'
import type { Decision } from '../../core/decision.ts'
import type { AdmitOptions } from '../api/public-types.ts'
import type { GateNeed } from '../requests/pending-request.ts'
import type { AdmissionController } from './admission-controller.ts'

/** P7: of several budgets those on trial never refuse: the others decide, and then each of them is tried by itself. */
export class Trials {
  readonly #admission: AdmissionController

  constructor(admission: AdmissionController) {
    this.#admission = admission
  }

  async admitAll(needs: readonly GateNeed[], options?: AdmitOptions): Promise<boolean> {
    const { others, onTrial } = split(needs)
    if (onTrial.length === 0) return this.#admission.admitAll(needs, options)
    if (others.length > 0 && !(await this.#admission.admitAll(others, options))) return false
    await this.#tryEach(onTrial, options)
    return true
  }

  /** The decision is that of the others; with none, of the first that is on trial. */
  async decideAll(needs: readonly GateNeed[], options?: AdmitOptions): Promise<Decision> {
    const { others, onTrial } = split(needs)
    const decision = others.length > 0 ? await this.#admission.decideAll(others, options) : undefined
    if (decision !== undefined && (onTrial.length === 0 || !decision.admitted)) return decision
    const [first] = await this.#tryEach(onTrial, options)
    const decided = decision ?? first
    invariant(decided !== undefined, 'one of the needs was decided')
    return decided
  }

  #tryEach(needs: readonly GateNeed[], options?: AdmitOptions): Promise<readonly Decision[]> {
    return Promise.all(needs.map(({ gate, units }) => this.#admission.decide(gate, units, options)))
  }
}

export function split(needs: readonly GateNeed[]): {
  readonly others: readonly GateNeed[]
  readonly onTrial: readonly GateNeed[]
} {
  const onTrial = needs.filter(({ gate }) => gate.plan.shadow)
  return { onTrial, others: onTrial.length === 0 ? needs : needs.filter(({ gate }) => !gate.plan.shadow) }
}
