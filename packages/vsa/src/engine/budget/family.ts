import { isPromise } from '../../core/awaitable.ts'
import { assertKey } from '../../core/key.ts'
import type { Plan } from '../../core/plan.ts'
import type { Policy } from '../../core/policy.ts'
import { policyConflictError } from '../api/errors.ts'
import { printAsJson } from '../api/inspect.ts'
import type { Family as PublicFamily } from '../api/public-types.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { MetricsTable } from '../runtime/metrics-table.ts'
import type { ClockEviction } from './clock-eviction.ts'
import { Gate, type GateFamily } from './gate.ts'
import type { PolicyCache } from './policy-cache.ts'
import type { SlowPath } from './slow-path.ts'

export type PolicyOf = (id: string) => Policy

/** What all families of one engine share. */
export interface FamilyParts {
  readonly slowPath: SlowPath<Gate>
  readonly metrics: MetricsTable
  readonly eviction: ClockEviction
  readonly policies: PolicyCache
  readonly names: FamilyNames
}

/** Which family has a name now. */
export interface FamilyNames {
  /** The family of that name: the given one, which is known again from now on, or one that was made since it was forgotten. */
  current(family: Family): Family
  /** Nothing is kept of the family. */
  forget(family: Family): void
}

/**
 * All budgets whose keys begin with `name:`, or, without a name, those whose keys have no colon. One map from id to gate:
 * there is no other, so that one key can never have two gates (G5).
 */
export class Family implements PublicFamily, GateFamily {
  static {
    printAsJson(this)
  }

  readonly name: string
  readonly slowPath: SlowPath<Gate>
  /** What its budgets count into. Once it is declared, those that are made from then on count for the family. */
  metrics: Metrics
  readonly tryAdmitSlowly: (gate: Gate, units: number) => boolean
  readonly #gates = new Map<string, Gate>()
  readonly #eviction: ClockEviction
  readonly #policies: PolicyCache
  readonly #names: FamilyNames
  readonly #table: MetricsTable
  #declared: Policy | PolicyOf | null = null
  #plan: Plan | null = null

  constructor(name: string, parts: FamilyParts) {
    const { slowPath } = parts
    this.name = name
    this.slowPath = slowPath
    this.tryAdmitSlowly = (gate, units) => slowPath.tryAdmit(gate, units)
    this.metrics = parts.metrics.single
    this.#table = parts.metrics
    this.#eviction = parts.eviction
    this.#policies = parts.policies
    this.#names = parts.names
  }

  /** A named family's budget. The root has no policy of its own, and is never handed out. */
  of(id: string): Gate {
    return this.#gates.get(id) ?? this.#make(id, null)
  }

  /** P1: where the policy is a function, it is asked again. */
  async refresh(id: string): Promise<void> {
    if (typeof this.#declared !== 'function') {
      this.of(id)
      return
    }
    const policy = this.#policyOf(this.#declared, id)
    const plan = this.#policies.of(policy)
    const gate = this.of(id)
    // A gate that was made after the change has the new plan, and the store's row may still have the old one.
    const isKnown = gate.row?.figures?.limit === plan.limit && plan.fingerprint === gate.plan.fingerprint
    if (!isKnown) await this.slowPath.setPolicy(gate, policy, false)
  }

  /** It has a policy for each of its budgets. */
  get isDeclared(): boolean {
    return this.#declared !== null
  }

  /** The budget, where there is one in memory. */
  find(id: string): Gate | undefined {
    return this.#gates.get(id)
  }

  /** A policy that is a function is printed as one, and is absent from JSON. */
  toJSON(): { readonly name: string; readonly policy: Policy | PolicyOf | null } {
    return { name: this.name, policy: this.#plan?.policy ?? this.#declared }
  }

  keyOf(id: string): string {
    return this.name === '' ? id : `${this.name}:${id}`
  }

  /** Gives the family its policy, or checks that it is the same. @throws VsaError `policy_conflict` */
  declare(policy: Policy | PolicyOf): this {
    if (policy === this.#declared) return this
    const plan = typeof policy === 'function' ? null : this.#policies.of(policy)
    if (this.#declared !== null && (plan === null || plan.fingerprint !== this.#plan?.fingerprint)) {
      throw policyConflictError(`budgets ${JSON.stringify(this.name)}`)
    }
    if (plan !== null) this.#checkMembers(plan)
    this.#declared = policy
    this.#plan = plan
    this.metrics = this.#table.of(this.name)
    return this
  }

  /** One budget by itself, under this policy. @throws VsaError `policy_conflict` */
  single(id: string, policy: Policy): Gate {
    const plan = this.#policies.of(policy)
    const gate = this.#gates.get(id)
    if (gate === undefined) {
      const declared = this.#declared === null ? plan : this.#planFor(id)
      if (declared.fingerprint !== plan.fingerprint)
        throw policyConflictError(`budget ${JSON.stringify(this.keyOf(id))}`)
      return this.#make(id, declared)
    }
    const isKnown = [gate.plan, gate.declared].some(({ fingerprint }) => fingerprint === plan.fingerprint)
    if (!isKnown) throw policyConflictError(`budget ${JSON.stringify(gate.key)}`)
    return gate
  }

  live(gate: Gate): Gate {
    if (!gate.isEvicted) return gate
    const family = this.#names.current(this)
    if (family !== this) return family.#gates.get(gate.id) ?? family.#make(gate.id, gate.plan)
    const other = this.#gates.get(gate.id)
    if (other !== undefined) return other
    gate.isEvicted = false
    this.#gates.set(gate.id, gate)
    this.#eviction.add(gate)
    return gate
  }

  forget(gate: Gate): void {
    this.#gates.delete(gate.id)
    // A family that was never declared is no more than its budgets.
    if (this.#gates.size === 0 && this.#declared === null) this.#names.forget(this)
  }

  #make(id: string, plan: Plan | null): Gate {
    if (this.name === '') assertKey('key', id)
    else assertKey('id', id, `${this.name}:`)
    const gate = new Gate(this, id, plan ?? this.#planFor(id))
    this.#gates.set(id, gate)
    this.#eviction.add(gate)
    return gate
  }

  #planFor(id: string): Plan {
    if (this.#plan !== null) return this.#plan
    if (typeof this.#declared !== 'function') throw new Error(`unreachable: family ${this.name} has no policy`)
    return this.#policies.of(this.#policyOf(this.#declared, id))
  }

  /** @throws TypeError where the function answers with a promise, whose failure is not left unhandled */
  #policyOf(declared: PolicyOf, id: string): Policy {
    const policy: unknown = declared(id)
    if (isPromise(policy)) {
      Promise.resolve(policy).catch(() => undefined)
      const name = JSON.stringify(this.keyOf(id))
      throw new TypeError(`the policy of ${name} must be given at once, got a promise: its function must not be async`)
    }
    // Checked when it is compiled.
    return policy as Policy
  }

  /** Budgets that were declared one by one before their family. */
  #checkMembers(plan: Plan): void {
    for (const gate of this.#gates.values()) {
      if (gate.declared.fingerprint !== plan.fingerprint)
        throw policyConflictError(`budget ${JSON.stringify(gate.key)}`)
    }
  }
}
