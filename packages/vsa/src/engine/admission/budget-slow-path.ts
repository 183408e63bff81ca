import type { Decision } from '../../core/decision.ts'
import type { AdmitOptions, MintOptions, PastDecision, Peek } from '../api/public-types.ts'
import type { Gate } from '../budget/gate.ts'
import type { SlowPath } from '../budget/slow-path.ts'
import type { AdmissionController, AdmissionParts } from './admission-controller.ts'
import { Mints } from './mints.ts'
import { Peeks } from './peeks.ts'
import { Refunds } from './refunds.ts'

/** What gates call when their hot path must stop, or when they have none for the call. */
export class BudgetSlowPath implements SlowPath<Gate> {
  readonly #admission: AdmissionController
  readonly #refunds: Refunds
  readonly #mints: Mints
  readonly #peeks: Peeks

  /** @param ready resolves once an epoch is open */
  constructor(admission: AdmissionController, parts: AdmissionParts, ready: () => Promise<void>) {
    this.#admission = admission
    this.#refunds = new Refunds(parts)
    this.#mints = new Mints({ ...parts, isClosed: () => admission.isClosed })
    this.#peeks = new Peeks({ ...parts, store: parts.settings.store, ready })
  }

  tryAdmit(gate: Gate, units: number): boolean {
    return this.#admission.tryAdmit(gate, units)
  }

  admit(gate: Gate, units: number, options?: AdmitOptions): Promise<boolean> {
    return this.#admission.admit(gate, units, options)
  }

  decide(gate: Gate, units: number, options?: AdmitOptions): Promise<Decision> {
    return this.#admission.decide(gate, units, options)
  }

  refund(gate: Gate, units: number, decision: PastDecision | undefined): void {
    this.#refunds.refund(gate, units, decision)
  }

  mint(gate: Gate, units: number, options: MintOptions): Promise<boolean> {
    return this.#mints.mint(gate, units, options)
  }

  peek(gate: Gate): Promise<Peek> {
    return this.#peeks.peek(gate)
  }
}
