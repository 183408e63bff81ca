import type { Window } from '../../core/plan.ts'
import type { Policy } from '../../core/policy.ts'
import type { Decision } from '../../core/decision.ts'
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
import type { Charge } from './local-reservation.ts'

/** What a gate calls when its hot path must stop. The admission room implements it. */
export interface SlowPath<Gate> {
  tryAdmit(gate: Gate, units: number): boolean
  /** Whether the units were spent, which a policy on trial admits otherwise. */
  trySpend(gate: Gate, units: number): boolean
  admit(gate: Gate, units: number, options?: AdmitOptions): Promise<boolean>
  decide(gate: Gate, units: number, options?: AdmitOptions): Promise<Decision>
  reserve(gate: Gate, units: number, options?: AdmitOptions | DurableReserve): Promise<Reservation | null>
  decideReserve(gate: Gate, units: number, options?: AdmitOptions | DurableReserve): Promise<ReserveDecision>
  /** As `Charging`. */
  charge(gate: Gate, units: number): Promise<readonly Charge[] | null>
  cover(gate: Gate, units: number, add: (charge: Charge) => void): Promise<number>
  refund(gate: Gate, units: number, decision: PastDecision | undefined): void
  giveBack(gate: Gate, units: number, window: Window): void
  /** I2 */
  refundOnce(gate: Gate, units: number, options: RefundOptions): Promise<GivenBack>
  reservation(gate: Gate, id: string): Reservation
  /** @param isOwn its family does not know of it */
  setPolicy(gate: Gate, policy: Policy, isOwn: boolean): Promise<void>
  reset(gate: Gate): Promise<void>
  delete(gate: Gate): Promise<void>
  mint(gate: Gate, units: number, options: MintOptions & InTransaction): Promise<PendingIntent>
  mint(gate: Gate, units: number, options: MintOptions): Promise<boolean>
  peek(gate: Gate): Promise<Peek>
}
