import { VsaError } from '../../core/errors.ts'
import { assertKey, KEY_LENGTH_MAX } from '../../core/key.ts'
import type { Plan } from '../../core/plan.ts'
import type { Policy } from '../../core/policy.ts'
import type { Desk } from '../admission/admission-controller.ts'
import type { Family as PublicFamily } from '../api/public-types.ts'
import { Gate } from './gate.ts'
import type { PlanBook } from './policy-cache.ts'
import type { Ring } from './clock-eviction.ts'
import type { Tally } from '../runtime/metrics.ts'

type PolicyOf = (id: string) => Policy

/**
 * All budgets whose keys begin with `name:`, or, without a name, those whose keys have no colon. One map from id to gate:
 * there is no other, so that one key can never have two gates (G5).
 */
export class Family implements PublicFamily {
  readonly name: string
  readonly desk: Desk
  readonly tally: Tally
  /**
   * Called by `call`, and kept in a field, so that V8 does not pull the slow path into the gate's: if it did (it does while most calls are slow,
   * as at first), the gate's would be too large to be pulled into the loops that call it, and they would be three times as slow for good.
   */
  readonly tryAdmitSlowly: (gate: Gate, units: number) => boolean
  readonly #gates = new Map<string, Gate>()
  readonly #ring: Ring
  readonly #plans: PlanBook
  #declared: Policy | PolicyOf | null = null
  #plan: Plan | null = null

  constructor(name: string, desk: Desk, tally: Tally, ring: Ring, plans: PlanBook) {
    this.name = name
    this.desk = desk
    this.tryAdmitSlowly = (gate, units) => desk.tryAdmit(gate, units)
    this.tally = tally
    this.#ring = ring
    this.#plans = plans
  }

  /** A named family's budget. The root has no policy of its own, and is never handed out. */
  of(id: string): Gate {
    return this.#gates.get(id) ?? this.#make(id, null)
  }

  keyOf(id: string): string {
    return this.name === '' ? id : `${this.name}:${id}`
  }

  /** Gives the family its policy, or checks that it is the same. @throws VsaError `policy_conflict` */
  declare(policy: Policy | PolicyOf): this {
    if (policy === this.#declared) return this
    const plan = typeof policy === 'function' ? null : this.#plans.of(policy)
    if (this.#declared !== null && (plan === null || plan.fingerprint !== this.#plan?.fingerprint)) {
      throw policyConflict(`budgets ${JSON.stringify(this.name)}`)
    }
    if (plan !== null) this.#checkMembers(plan)
    this.#declared = policy
    this.#plan = plan
    return this
  }

  /** One budget by itself, under this policy. @throws VsaError `policy_conflict` */
  single(id: string, policy: Policy): Gate {
    const plan = this.#plans.of(policy)
    const gate = this.#gates.get(id)
    if (gate === undefined) {
      const declared = this.#declared === null ? plan : this.#planFor(id)
      if (declared.fingerprint !== plan.fingerprint) throw policyConflict(`budget ${JSON.stringify(this.keyOf(id))}`)
      return this.#make(id, declared)
    }
    if (gate.plan.fingerprint !== plan.fingerprint) throw policyConflict(`budget ${JSON.stringify(gate.key)}`)
    return gate
  }

  /** The key's one gate: this one, another that took its place while it was evicted, or this one put back. */
  live(gate: Gate): Gate {
    if (!gate.evicted) return gate
    const other = this.#gates.get(gate.id)
    if (other !== undefined) return other
    gate.evicted = false
    this.#gates.set(gate.id, gate)
    this.#ring.add(gate)
    return gate
  }

  forget(gate: Gate): void {
    this.#gates.delete(gate.id)
  }

  #make(id: string, plan: Plan | null): Gate {
    const lengthMax = this.name === '' ? KEY_LENGTH_MAX : KEY_LENGTH_MAX - this.name.length - 1
    assertKey(this.name === '' ? 'key' : 'id', id, lengthMax)
    const gate = new Gate(this, id, plan ?? this.#planFor(id))
    this.#gates.set(id, gate)
    this.#ring.add(gate)
    return gate
  }

  #planFor(id: string): Plan {
    if (this.#plan !== null) return this.#plan
    if (typeof this.#declared !== 'function') throw new Error(`unreachable: family ${this.name} has no policy`)
    return this.#plans.of(this.#declared(id))
  }

  /** Budgets that were declared one by one before their family. */
  #checkMembers(plan: Plan): void {
    for (const gate of this.#gates.values()) {
      if (gate.plan.fingerprint !== plan.fingerprint) throw policyConflict(`budget ${JSON.stringify(gate.key)}`)
    }
  }
}

function policyConflict(what: string): VsaError {
  return new VsaError(
    'policy_conflict',
    `${what} was declared with another policy in this process. Declare each budget or family once, and share the handle.`,
  )
}
