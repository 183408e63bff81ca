import { unknownOptionError } from '../options.ts'
import type { Plan } from '../plan.ts'
import type { Policy } from '../policy.ts'
import * as initial from './initial.ts'
import { partsOf } from './parts.ts'
import * as window from './window.ts'

/**
 * Checks a policy and fills in its defaults. A part that is `undefined` is absent.
 * @throws TypeError for a wrong type, an unknown property or parts that exclude each other; RangeError for a value out of range.
 * Each message names the argument, as in `policy.limit`.
 */
export function compilePolicy(policy: Policy): Plan {
  const parts = partsOf(policy)
  for (const name of parts.keys()) {
    if (!initial.PARTS.includes(name) && !window.PARTS.includes(name)) {
      throw unknownOptionError('policy', name, ['initial', ...window.PARTS])
    }
  }
  if (parts.has('initial') === parts.has('limit')) {
    throw new TypeError(
      `policy must have either policy.initial or policy.limit, got ${parts.has('limit') ? 'both' : 'neither'}`,
    )
  }
  const terms = parts.has('initial') ? initial.compile(initial.check(parts)) : window.compile(window.check(parts))
  // A copy, because the caller may change its object. Its parts have been checked.
  return { ...terms, policy: Object.freeze(Object.fromEntries(parts)) as unknown as Policy }
}
