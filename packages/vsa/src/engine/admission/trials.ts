import type { Admitted, Decision } from '../../core/decision.ts'
import type { AdmitOptions } from '../api/public-types.ts'
import type { GateNeed } from '../requests/pending-request.ts'
import type { AdmissionController } from './admission-controller.ts'
import type { Decisions } from './decisions.ts'

/**
 * P7: of several budgets those on trial never refuse: the others decide, and then each of them is tried by itself. The call does not wait for that: the store may be
 * away, and the leases of the others serve.
 */
export class Trials {
  readonly #admission: AdmissionController
  readonly #decisions: Decisions

  constructor(admission: AdmissionController, decisions: Decisions) {
    this.#admission = admission
    this.#decisions = decisions
  }

  async admitAll(needs: readonly GateNeed[], options?: AdmitOptions): Promise<boolean> {
    const { onTrial } = split(needs)
    if (onTrial.length === 0) return this.#admission.admitAll(needs, options)
    return (await this.decideAll(needs, options)).admitted
  }

  /** The decision is that of the others; with none, of the first that is on trial. */
  async decideAll(needs: readonly GateNeed[], options?: AdmitOptions): Promise<Decision> {
    const { others, onTrial } = split(needs)
    const [first, ...rest] = onTrial
    if (first === undefined) return this.#admission.decideAll(needs, options)
    const isAlone = others.length === 0
    const decision = await (isAlone
      ? this.#admission.decide(first.gate, first.units, options)
      : this.#admission.decideAll(others, options))
    // I1: what is repeated was tried before.
    if (decision.admitted && decision.repeated !== true) this.#tryEach(isAlone ? rest : onTrial, decision, options)
    return decision
  }

  /** @param decision of the others, by which the units of each can be given back once it has been tried */
  #tryEach(needs: readonly GateNeed[], decision: Admitted, options: AdmitOptions | undefined): void {
    const tried = this.#decisions.withTrials(
      decision,
      needs.map(({ gate }) => gate.key),
    )
    for (const { gate, units } of needs) {
      this.#admission.decide(gate, units, tryingOptions(options)).then(tried, () => undefined)
    }
  }
}

/** The call was decided: its signal ends nothing any more, and its id names the budgets that decided. */
export function tryingOptions(options: AdmitOptions | undefined): AdmitOptions | undefined {
  if (options?.signal === undefined && options?.id === undefined) return options
  const { deadlineMs, durable } = options
  return { ...(deadlineMs !== undefined && { deadlineMs }), ...(durable !== undefined && { durable }) }
}

export function split(needs: readonly GateNeed[]): {
  readonly others: readonly GateNeed[]
  readonly onTrial: readonly GateNeed[]
} {
  const onTrial = needs.filter(({ gate }) => gate.plan.shadow)
  return { onTrial, others: onTrial.length === 0 ? needs : needs.filter(({ gate }) => !gate.plan.shadow) }
}
