import { assertBoolean, assertOptions } from '../core/options.ts'
import { describe } from '../core/units.ts'
import { wholeBetween, type Random } from './random.ts'

/** What goes wrong with one call to a store. Times are in ms on the injected clock, 0 or more. */
export type Fault =
  /** The request takes `requestMs` to arrive, and its answer `answerMs`. A caller that sends again meanwhile may see its first request arrive last. */
  | { readonly kind: 'delay'; readonly requestMs: number; readonly answerMs: number }
  /** The request never arrives, and the call is never answered. */
  | { readonly kind: 'lost_request' }
  /** The request is applied, and the call is never answered. */
  | { readonly kind: 'lost_answer' }
  /** The request arrives twice, the second time after `afterMs`; the caller sees the first answer. */
  | { readonly kind: 'duplicate'; readonly afterMs: number }
  /** The call rejects at once with `applied: 'unknown'`; the request arrives after `afterMs`, behind newer ones. */
  | { readonly kind: 'late'; readonly afterMs: number }
  /** The call rejects with `applied: 'unknown'`. `applied` says whether the request was applied. */
  | { readonly kind: 'unknown'; readonly applied: boolean }
  /** The call rejects with `applied: 'no'`, and nothing was applied. */
  | { readonly kind: 'refused' }
  /** The store dies in the middle of the call, which rejects with `applied: 'unknown'`. For `downMs` every call is refused. */
  | { readonly kind: 'death'; readonly applied: boolean; readonly downMs: number }

export type FaultKind = Fault['kind']

export const FAULT_KINDS: readonly FaultKind[] = [
  'delay',
  'lost_request',
  'lost_answer',
  'duplicate',
  'late',
  'unknown',
  'refused',
  'death',
]

/** The probability of each fault for one call, 0 to 1; together at most 1. Kinds left out never happen. */
export type FaultRates = Readonly<Partial<Record<FaultKind, number>>>

/** What each kind has besides its name; what ends in `Ms` is a time. */
const PARTS: Readonly<Record<FaultKind, readonly string[]>> = {
  delay: ['requestMs', 'answerMs'],
  lost_request: [],
  lost_answer: [],
  duplicate: ['afterMs'],
  late: ['afterMs'],
  unknown: ['applied'],
  refused: [],
  death: ['applied', 'downMs'],
}

/** Throws unless `fault` is a fault, or undefined for none. @throws TypeError, RangeError that name the argument */
export function assertFault(name: string, fault: unknown): void {
  if (fault === undefined) return
  const given: Readonly<Record<string, unknown>> = typeof fault === 'object' ? { ...fault } : {}
  const kind = FAULT_KINDS.find((known) => known === given['kind'])
  if (kind === undefined)
    throw new TypeError(`${name}.kind must be one of ${FAULT_KINDS.join(', ')}, got ${describe(given['kind'])}`)
  assertOptions(name, fault, ['kind', ...PARTS[kind]])
  for (const part of PARTS[kind]) {
    if (part === 'applied') assertBoolean(`${name}.applied`, given[part])
    else assertShare(`${name}.${part}`, given[part], Infinity)
  }
}

/** @throws TypeError, RangeError that name the argument */
export function assertRates(name: string, rates: FaultRates): void {
  assertOptions(name, rates, FAULT_KINDS)
  let sum = 0
  for (const kind of FAULT_KINDS) {
    const rate = rates[kind] ?? 0
    assertShare(`${name}.${kind}`, rate, 1)
    sum += rate
  }
  // Rates such as ten times 0.1 add up to a little more than 1.
  if (sum > 1 + Number.EPSILON * FAULT_KINDS.length)
    throw new RangeError(`${name} must add up to at most 1, got ${sum}`)
}

function assertShare(name: string, value: unknown, max: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${describe(value)}`)
  if (value >= 0 && value <= max) return
  throw new RangeError(`${name} must be ${max === Infinity ? '0 or more' : `from 0 to ${max}`}, got ${value}`)
}

/** Draws one fault or none. Its times are whole ms from 0 to `delayMsMax`. */
export function drawFault(random: Random, rates: FaultRates, delayMsMax: number): Fault | undefined {
  let point = random()
  for (const kind of FAULT_KINDS) {
    point -= rates[kind] ?? 0
    if (point < 0) return faultOf(kind, random, delayMsMax)
  }
  return undefined
}

function faultOf(kind: FaultKind, random: Random, delayMsMax: number): Fault {
  const someMs = (): number => wholeBetween(random, 0, delayMsMax)
  switch (kind) {
    case 'delay':
      return { kind, requestMs: someMs(), answerMs: someMs() }
    case 'lost_request':
    case 'lost_answer':
    case 'refused':
      return { kind }
    case 'duplicate':
    case 'late':
      return { kind, afterMs: someMs() }
    case 'unknown':
      return { kind, applied: random() < 0.5 }
    case 'death':
      return { kind, applied: random() < 0.5, downMs: someMs() }
  }
}
