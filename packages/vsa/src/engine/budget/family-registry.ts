import { assertKey, KEY_LENGTH_MAX } from '../../core/key.ts'
import type { Policy } from '../../core/policy.ts'
import { describe } from '../../core/units.ts'
import { Family, type FamilyParts, type PolicyOf } from './family.ts'
import type { Gate } from './gate.ts'

/** The families of one engine, by name. */
export class FamilyRegistry {
  readonly #parts: FamilyParts
  readonly #families = new Map<string, Family>()

  constructor(parts: FamilyParts) {
    this.#parts = parts
  }

  /** @throws TypeError that names `name`; VsaError `policy_conflict` */
  declare(name: string, policy: Policy | PolicyOf): Family {
    assertKey('name', name, KEY_LENGTH_MAX - 2)
    if (name.includes(':')) throw new TypeError(`name must have no colon, got ${describe(name)}: keys are name:id`)
    return this.#of(name).declare(policy)
  }

  /** The budget with this key by itself. @throws TypeError that names `key`; VsaError `policy_conflict` */
  single(key: string, policy: Policy): Gate {
    assertKey('key', key)
    const colon = key.indexOf(':')
    // A key that begins or ends with its first colon has no family: both parts must have a character.
    if (colon <= 0 || colon === key.length - 1) return this.#of('').single(key, policy)
    return this.#of(key.slice(0, colon)).single(key.slice(colon + 1), policy)
  }

  #of(name: string): Family {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const family = new Family(name, this.#parts)
    this.#families.set(name, family)
    return family
  }
}
