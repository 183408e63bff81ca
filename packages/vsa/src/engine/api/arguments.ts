import type { Plan, Window } from '../../core/plan.ts'
import { assertKey } from '../../core/key.ts'
import { ID_LENGTH_MAX } from '../../core/grant-takes.ts'
import type { UserTransaction } from '../../core/intent-writer.ts'
import { assertBoolean, assertMethods, assertOneOf, assertOptions } from '../../core/options.ts'
import type { Remember } from '../../core/reservations/messages.ts'
import { assertUnits, assertWhole, describe } from '../../core/units.ts'
import { assertDuration } from './durations.ts'
import type {
  AdmitOptions,
  CloseOptions,
  DurableReserve,
  Extension,
  FlushOptions,
  InTransaction,
  MintOptions,
  PastDecision,
  RefundOptions,
} from './public-types.ts'

const ADMIT_OPTIONS = Object.keys({ durable: true, deadlineMs: true, signal: true, id: true } satisfies Record<
  keyof AdmitOptions,
  true
>)
const RESERVE_OPTIONS = [...ADMIT_OPTIONS, 'ttlMs', 'onExpire']
const REFUND_OPTIONS = Object.keys({ id: true, deadlineMs: true } satisfies Record<keyof RefundOptions, true>)
const EXTENSION = Object.keys({ units: true, ttlMs: true } satisfies Record<keyof Extension, true>)
const TTL_MS_MAX = 400 * 86_400_000
const IN_TRANSACTION = Object.keys({ db: true } satisfies Record<keyof InTransaction, true>)
const MINT_OPTIONS = [...Object.keys({ id: true } satisfies Record<keyof MintOptions, true>), ...IN_TRANSACTION]
const FLUSH_OPTIONS = Object.keys({ returnLeases: true, deadlineMs: true } satisfies Record<keyof FlushOptions, true>)
const CLOSE_OPTIONS = Object.keys({ deadlineMs: true } satisfies Record<keyof CloseOptions, true>)

export interface CheckedOptions {
  readonly deadlineMs: number
  readonly durable: boolean | undefined
  readonly signal: AbortSignal | undefined
  /** Undefined where nothing is remembered. */
  readonly remember?: Remember | undefined
}

/** @throws TypeError, RangeError that name the option */
export function checkOptions(options: AdmitOptions, deadlineDefaultMs: number): CheckedOptions {
  assertOptions('options', options, ADMIT_OPTIONS)
  return checkKnown(options, deadlineDefaultMs, (id) => ({ id, as: 'admission', ttlMs: 0, onExpire: 'return' }))
}

/** @throws TypeError, RangeError that name the option */
export function checkReserveOptions(options: AdmitOptions | DurableReserve, deadlineDefaultMs: number): CheckedOptions {
  assertOptions('options', options, RESERVE_OPTIONS)
  const { ttlMs, onExpire } = options as Partial<DurableReserve>
  const given = { id: options.id, ttlMs, onExpire }
  const missing = Object.entries(given).filter(([, value]) => value === undefined)
  const [first] = missing
  if (first !== undefined && missing.length < Object.keys(given).length)
    throw new TypeError(`options.${first[0]} is missing: a reservation that the store keeps has id, ttlMs and onExpire`)
  return checkKnown(options, deadlineDefaultMs, (id) => {
    assertTtl('options.ttlMs', ttlMs)
    assertOneOf('options.onExpire', onExpire, ['return', 'capture'])
    return { id, as: 'reservation', ttlMs, onExpire: onExpire === 'capture' ? 'capture' : 'return' }
  })
}

function checkKnown(
  options: AdmitOptions,
  deadlineDefaultMs: number,
  rememberedAs: (id: string) => Remember,
): CheckedOptions {
  const { deadlineMs = deadlineDefaultMs, durable, signal, id } = options
  if (deadlineMs !== deadlineDefaultMs) assertDuration('options.deadlineMs', deadlineMs)
  if (durable !== undefined) assertBoolean('options.durable', durable)
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError(`options.signal must be an AbortSignal, got ${describe(signal)}`)
  if (id === undefined) return { deadlineMs, durable, signal }
  assertId('options.id', id)
  if (durable === false)
    throw new TypeError('options.durable must not be false with options.id: what the store remembers is durable')
  return { deadlineMs, durable: true, signal, remember: rememberedAs(id) }
}

/** The id of an admission or a reservation. @throws TypeError, RangeError that name the argument */
export function assertId(name: string, id: unknown): asserts id is string {
  if (typeof id !== 'string') throw new TypeError(`${name} must be a string, got ${describe(id)}`)
  if (id.length < 1 || id.length > ID_LENGTH_MAX)
    throw new RangeError(`${name} must have 1 to ${ID_LENGTH_MAX} characters, got ${id.length}`)
  if (!id.isWellFormed()) throw new TypeError(`${name} must be well-formed Unicode, got ${describe(id)}`)
}

/** @throws TypeError, RangeError that name the option */
export function checkRefundOptions(options: RefundOptions, deadlineDefaultMs: number): Required<RefundOptions> {
  assertOptions('options', options, REFUND_OPTIONS)
  const { id, deadlineMs = deadlineDefaultMs } = options
  assertId('options.id', id)
  assertDuration('options.deadlineMs', deadlineMs)
  return { id, deadlineMs }
}

/** @throws TypeError, RangeError that name the option */
export function checkExtension(to: Extension): void {
  assertOptions('to', to, EXTENSION)
  const { units, ttlMs } = to
  if (units === undefined && ttlMs === undefined) throw new TypeError('to must have units, ttlMs, or both')
  if (units !== undefined) assertUnits('to.units', units)
  if (ttlMs !== undefined) assertTtl('to.ttlMs', ttlMs)
}

function assertTtl(name: string, ttlMs: unknown): asserts ttlMs is number {
  assertWhole(name, ttlMs, { min: 1, max: TTL_MS_MAX, of: 'milliseconds' })
}

/** The id of the mint. @throws TypeError, RangeError that name the option */
export function checkMintOptions(options: MintOptions): string {
  assertOptions('options', options, MINT_OPTIONS)
  assertKey('options.id', options.id)
  return options.id
}

/**
 * The transaction that the call is to count with. An undefined one is an error: without it the call would count at once.
 * @throws TypeError that names the option
 */
export function checkInTransaction(options: InTransaction): UserTransaction {
  assertOptions('options', options, IN_TRANSACTION)
  const { db } = options
  assertMethods('options.db', db, 'your transaction, such as fromPg(client) of vsa/postgres', ['executeSql'])
  return db
}

/** @throws TypeError, RangeError that name the option */
export function checkFlushOptions(options: FlushOptions, deadlineDefaultMs: number): Required<FlushOptions> {
  assertOptions('options', options, FLUSH_OPTIONS)
  const { returnLeases = false, deadlineMs = deadlineDefaultMs } = options
  assertBoolean('options.returnLeases', returnLeases)
  assertDuration('options.deadlineMs', deadlineMs)
  return { returnLeases, deadlineMs }
}

/** @throws TypeError, RangeError that name the option */
export function checkCloseOptions(options: CloseOptions, deadlineDefaultMs: number): Required<CloseOptions> {
  assertOptions('options', options, CLOSE_OPTIONS)
  const { deadlineMs = deadlineDefaultMs } = options
  assertDuration('options.deadlineMs', deadlineMs)
  return { deadlineMs }
}

/** @throws TypeError that names the argument */
export function assertDecision(decision: unknown): asserts decision is PastDecision {
  const fields = typeof decision === 'object' && decision !== null ? (decision as Record<string, unknown>) : {}
  const { period, admitted, key } = fields
  if (fields['reservation'] !== undefined || fields['reservations'] !== undefined)
    throw new TypeError('decision must not be one with a reservation: settle or cancel that')
  const isPast = typeof period === 'number' || typeof admitted === 'boolean'
  if (!isPast || (key !== undefined && typeof key !== 'string'))
    throw new TypeError(`decision must be what decide() answered, got ${describe(decision)}`)
  if (fields['from'] !== undefined) assertShares(fields['from'])
}

/** A decision that denied took nothing. @throws TypeError that names the argument */
export function assertAdmitted({ admitted }: PastDecision): void {
  if (admitted === false) throw new TypeError('decision must be one that admitted: a denied one took nothing')
}

/** I2: what was admitted under an id would come back twice, by its decision and by its id. @throws TypeError that names the argument */
export function assertWithoutId(isGivenBackById: boolean): void {
  if (isGivenBackById)
    throw new TypeError(
      'decision must be one without an id: what was admitted under an id is given back once, by refund(units, { id })',
    )
}

/** A decision took nothing from the budgets that it is not about. @throws TypeError that names the argument */
export function assertAbout(isAbout: boolean, { key }: PastDecision, refunded: string): void {
  if (!isAbout) throw new TypeError(`decision must be about ${describe(refunded)}: it is about ${describe(key)}`)
}

/** Of a waterfall. A decision may come from outside, as JSON. */
function assertShares(from: unknown): void {
  if (!Array.isArray(from)) throw new TypeError(`decision.from must be an array, got ${describe(from)}`)
  for (const [index, share] of from.entries()) {
    const { key, units, period } = (typeof share === 'object' && share !== null ? share : {}) as Record<string, unknown>
    assertKey(`decision.from[${index}].key`, key)
    assertUnits(`decision.from[${index}].units`, units)
    if (period !== null && !Number.isSafeInteger(period))
      throw new TypeError(`decision.from[${index}].period must be a number or null, got ${describe(period)}`)
  }
}

/** The budget's period that begins at `period`, by its policy of now or before. Undefined where there is none. */
export function windowIn(
  { plan, planBefore }: { readonly plan: Plan; readonly planBefore: Plan | null },
  period: number,
): Window | undefined {
  const plans = !Number.isSafeInteger(period) ? [] : planBefore === null ? [plan] : [plan, planBefore]
  return plans.map((one) => one.windowAt(period)).find(({ start }) => start === period)
}

/** @throws RangeError that names the argument */
export function periodError(key: string, period: number): RangeError {
  return new RangeError(`decision.period must be the start of a period of ${JSON.stringify(key)}, got ${period}`)
}

/** What `counter.add` takes. @throws TypeError, RangeError that name `n` */
export function assertSummand(n: unknown): void {
  if (typeof n !== 'number') throw new TypeError(`n must be a number, got ${describe(n)}`)
  if (!Number.isSafeInteger(n)) throw new RangeError(`n must be a whole number from -(2^53 - 1) to 2^53 - 1, got ${n}`)
}
