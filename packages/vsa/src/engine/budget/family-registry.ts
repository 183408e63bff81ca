import { assertKey } from '../../core/key.ts'
import type { Policy } from '../../core/policy.ts'
import { describe } from '../../core/units.ts'
import { Family, type FamilyNames, type FamilyParts, type PolicyOf } from './family.ts'
import type { Gate } from './gate.ts'

/**
 * The families of one engine, by name. Those that were declared are kept; one of budgets that were declared one by one is forgotten
 * with the last of them.
 */
export class FamilyRegistry implements FamilyNames {
  readonly #parts: FamilyParts
  readonly #families = new Map<string, Family>()

  constructor(parts: Omit<FamilyParts, 'names'>) {
    this.#parts = { ...parts, names: this }
  }

  /** How many are kept. */
  get size(): number {
    return this.#families.size
  }

  current(family: Family): Family {
    const known = this.#families.get(family.name)
    if (known !== undefined) return known
    this.#families.set(family.name, family)
    return family
  }

  forget(family: Family): void {
    if (this.#families.get(family.name) === family) this.#families.delete(family.name)
  }

  /** @throws TypeError that names `name`; VsaError `policy_conflict` */
  declare(name: string, policy: Policy | PolicyOf): Family {
    assertKey('name', name, ':i')
    if (name.includes(':')) throw new TypeError(`name must have no colon, got ${describe(name)}: keys are name:id`)
    return this.#use(name, (family) => family.declare(policy))
  }

  /** The budget with this key, where there is one in memory. */
  find(key: string): Gate | undefined {
    const [name, id] = partsOf(key)
    return this.#families.get(name)?.find(id)
  }

  /** As `find`; a budget of a family that was declared is made where there is none. */
  lookUp(key: string): Gate | undefined {
    const [name, id] = partsOf(key)
    const family = this.#families.get(name)
    return family?.find(id) ?? (family?.isDeclared === true ? family.of(id) : undefined)
  }

  /** The budget with this key by itself. @throws TypeError that names `key`; VsaError `policy_conflict` */
  single(key: string, policy: Policy): Gate {
    assertKey('key', key)
    const [name, id] = partsOf(key)
    return this.#use(name, (family) => family.single(id, policy))
  }

  /** The family is kept once there is something in it. */
  #use<T>(name: string, use: (family: Family) => T): T {
    const family = this.#families.get(name) ?? new Family(name, this.#parts)
    const used = use(family)
    this.#families.set(name, family)
    return used
  }
}

/** The name of the family, which may be empty, and the id. */
function partsOf(key: string): readonly [name: string, id: string] {
  const colon = key.indexOf(':')
  // A key that begins or ends with its first colon has no family: both parts must have a character.
  return colon <= 0 || colon === key.length - 1 ? ['', key] : [key.slice(0, colon), key.slice(colon + 1)]
}
