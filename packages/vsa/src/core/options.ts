import { nearest } from './nearest.ts'
import { describe } from './units.ts'

/**
 * Throws unless `value` is an object whose every option is known. An option that is `undefined` counts as absent.
 * @param name of the object, as in `options`
 * @throws TypeError that names the unknown option and the nearest known one
 */
export function assertOptions(name: string, value: unknown, known: readonly string[]): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} must be an object, got ${describe(value)}`)
  // Allocates nothing: most calls have no options.
  for (const option in value) {
    if (known.includes(option) || !Object.hasOwn(value, option)) continue
    if ((value as Readonly<Record<string, unknown>>)[option] !== undefined)
      throw unknownOptionError(name, option, known)
  }
}

export function unknownOptionError(name: string, option: string, known: readonly string[]): TypeError {
  const near = nearest(option, known)
  const hint = near === undefined ? `it has ${known.join(', ')}` : `did you mean ${near}?`
  return new TypeError(`${name}.${option} is not known; ${hint}`)
}

/** @throws TypeError that names the argument */
export function assertFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${describe(value)}`)
}

/** @throws TypeError that names the argument */
export function assertBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be a boolean, got ${describe(value)}`)
}

/** A list of numbers above 0 and at most 1. @throws TypeError, RangeError that name the argument */
export function assertFractions(name: string, value: unknown): asserts value is readonly number[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} must be an array, got ${describe(value)}`)
  for (const [index, fraction] of value.entries()) {
    if (typeof fraction !== 'number' || !(fraction > 0 && fraction <= 1)) {
      throw new RangeError(`${name}[${index}] must be above 0 and at most 1, got ${describe(fraction)}`)
    }
  }
}

/** @throws TypeError that names the argument */
export function assertOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'string' || !allowed.includes(value))
    throw new TypeError(`${name} must be one of ${allowed.join(', ')}, got ${describe(value)}`)
}

/**
 * Throws unless `value` has all these methods.
 * @param what it must be, as in `a clock`
 * @throws TypeError that names the argument, and the first method that is missing
 */
export function assertMethods(name: string, value: unknown, what: string, methods: readonly string[]): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null)
    throw new TypeError(`${name} must be ${what}, got ${describe(value)}`)
  const given = value as Readonly<Record<string, unknown>>
  const missing = methods.find((method) => typeof given[method] !== 'function')
  if (missing !== undefined) throw new TypeError(`${name} must be ${what}: ${describe(value)} without ${missing}()`)
}
