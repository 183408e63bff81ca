import type { Decision } from '../../core/decision.ts'
import type { Window } from '../../core/plan.ts'
import type { Policy } from '../../core/policy.ts'
import type {
  AdmitOptions,
  DurableReserve,
  GivenBack,
  InTransaction,
  MintOptions,
  PastDecision,
  Peek,
  PendingIntent,
  RefundOptions,
  Reservation,
  ReserveDecision,
} from '../api/public-types.ts'
import type { Gate } from '../budget/gate.ts'
import type { Charge } from '../budget/local-reservation.ts'
import type { PolicyCache } from '../budget/policy-cache.ts'
import type { SlowPath } from '../budget/slow-path.ts'
import type { Recollection } from '../exchange/recollection.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { AdmissionController, AdmissionParts } from './admission-controller.ts'
import { Deletions } from './deletions.ts'
import type { Intents } from './intents.ts'
import { decisionAboutOne, onlyOf } from './made-reservations.ts'
import { Mints } from './mints.ts'
import type { Peeks } from './peeks.ts'
import { PolicyChanges } from './policy-changes.ts'
import { Refunds } from './refunds.ts'
import type { Reservations } from './reservations.ts'

/** What gates call when their hot path must stop, or when they have none for the call. */
export class BudgetSlowPath implements SlowPath<Gate> {
  readonly #admission: AdmissionController
  readonly #reservations: Reservations
  readonly #refunds: Refunds
  readonly #mints: Mints
  readonly #peeks: Peeks
  readonly #policies: PolicyChanges
  readonly #deletions: Deletions

  constructor(
    admission: AdmissionController,
    reservations: Reservations,
    parts: AdmissionParts & {
      readonly calls: PendingCalls
      readonly intents: Intents
      readonly recollection: Recollection
      readonly joined: () => Promise<void>
    },
    peeks: Peeks,
    policies: PolicyCache,
  ) {
    this.#admission = admission
    this.#reservations = reservations
    this.#refunds = new Refunds(parts)
    this.#mints = new Mints({ ...parts, isClosed: () => admission.isClosed })
    this.#peeks = peeks
    this.#deletions = new Deletions({ ...parts, isClosed: () => admission.isClosed })
    this.#policies = new PolicyChanges({ ...parts, policies, joined: parts.joined, isClosed: () => admission.isClosed })
  }

  tryAdmit(gate: Gate, units: number): boolean {
    return this.#admission.tries.tryAdmit(gate, units)
  }

  trySpend(gate: Gate, units: number): boolean {
    return this.#admission.tries.trySpend(gate, units)
  }

  admit(gate: Gate, units: number, options?: AdmitOptions): Promise<boolean> {
    return this.#admission.admit(gate, units, options)
  }

  decide(gate: Gate, units: number, options?: AdmitOptions): Promise<Decision> {
    return this.#admission.decide(gate, units, options)
  }

  async reserve(gate: Gate, units: number, options?: AdmitOptions | DurableReserve): Promise<Reservation | null> {
    return onlyOf(await this.#reservations.reserve(gate, units, options))
  }

  async decideReserve(gate: Gate, units: number, options?: AdmitOptions | DurableReserve): Promise<ReserveDecision> {
    return decisionAboutOne(await this.#reservations.reserve(gate, units, options))
  }

  async charge(gate: Gate, units: number): Promise<readonly Charge[] | null> {
    const charge = await this.#reservations.charge(gate, units)
    return charge && [charge]
  }

  cover(gate: Gate, units: number, add: (charge: Charge) => void): Promise<number> {
    return this.#reservations.cover(gate, units, add)
  }

  refund(gate: Gate, units: number, decision: PastDecision | undefined): void {
    this.#refunds.refund(gate, units, decision)
  }

  giveBack(gate: Gate, units: number, window: Window): void {
    this.#refunds.giveBack(gate, units, window)
  }

  async refundOnce(gate: Gate, units: number, options: RefundOptions): Promise<GivenBack> {
    return this.#reservations.refundOnce(gate, units, options)
  }

  reservation(gate: Gate, id: string): Reservation {
    return this.#reservations.known(gate, id)
  }

  setPolicy(gate: Gate, policy: Policy, isOwn: boolean): Promise<void> {
    return this.#policies.setPolicy(gate, policy, isOwn)
  }

  reset(gate: Gate): Promise<void> {
    return this.#policies.reset(gate)
  }

  delete(gate: Gate): Promise<void> {
    return this.#deletions.delete(gate)
  }

  mint(gate: Gate, units: number, options: MintOptions & InTransaction): Promise<PendingIntent>
  mint(gate: Gate, units: number, options: MintOptions): Promise<boolean>
  mint(gate: Gate, units: number, options: MintOptions): Promise<boolean | PendingIntent> {
    return this.#mints.mint(gate, units, options)
  }

  peek(gate: Gate): Promise<Peek> {
    return this.#peeks.peek(gate)
  }
}
