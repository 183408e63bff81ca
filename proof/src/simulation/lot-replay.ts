import type { ChangeOutcome, OnExpire, ReservationChange, ReservationLot } from '../../../packages/vsa/dist/index.js'
import { must } from './violation.ts'

/** R6: how long a reservation is remembered once it is settled, expired or given back, in ms. The documented value, repeated here. */
export const KEPT_MS = 7 * 86_400_000

/** What the changes of one batch make of a lot, computed by themselves. Where units were drawn from several sources, only their sum is known. */
export class LotReplay {
  readonly #onExpire: OnExpire
  readonly #what: string
  #state: ReservationLot['state']
  #units: number
  #uncovered: number
  #expiresAt: number
  #charged: number
  /** By source; null where only the sum is known. */
  #shares: readonly number[] | null
  #refunded: number | null
  readonly #refundable: number
  readonly #before: ReservationLot
  /** The rule of the last change; null when there was none. */
  #rule: string | null = null
  #isKeptFrom: 'before' | 'expiry' | 'now' = 'before'

  constructor(what: string, before: ReservationLot, onExpire: OnExpire) {
    this.#what = what
    this.#before = before
    this.#onExpire = onExpire
    this.#state = before.state
    this.#units = before.units
    this.#uncovered = before.uncovered
    this.#expiresAt = before.expiresAt
    this.#shares = before.sources.map(({ charged }) => charged)
    this.#charged = sumOf(this.#shares)
    const isRefunded = before.sources.some(({ refunded }) => refunded !== null)
    this.#refunded = isRefunded ? sumOf(before.sources.map(({ refunded }) => refunded ?? 0)) : null
    this.#refundable = before.sources.length
  }

  get state(): ReservationLot['state'] {
    return this.#state
  }

  get units(): number {
    return this.#units
  }

  get charged(): number {
    return this.#charged
  }

  get kept(): number {
    return this.#charged - (this.#refunded ?? 0)
  }

  get isRefunded(): boolean {
    return this.#refunded !== null
  }

  get isChanged(): boolean {
    return this.#rule !== null
  }

  /** R3: a provisional settlement, before anything else. @param time store time, ms since 1970 */
  expire(time: number): void {
    if (this.#state !== 'open' || this.#expiresAt > time) return
    this.#rule = 'R3'
    this.#state = 'expired'
    this.#isKeptFrom = 'expiry'
    if (this.#onExpire === 'capture') return
    this.#charged = 0
    this.#shares = this.#before.sources.map(() => 0)
  }

  /** @throws Violation where the outcome is not the one that the change must have */
  apply(change: ReservationChange, outcome: ChangeOutcome | undefined, time: number): void {
    switch (change.op) {
      case 'settle':
        return this.#settle(change.units, outcome)
      case 'extend':
        return this.#extend(change, outcome, time)
      case 'refund':
        return this.#refund(change.units, outcome)
    }
  }

  /** R4 */
  #settle(actual: number, outcome: ChangeOutcome | undefined): void {
    const told = (): string => `${this.#what}: a settlement of ${actual} was answered ${JSON.stringify(outcome)}`
    must(outcome?.kind === 'settled', 'R4', told)
    const { settled, uncovered, repeated } = outcome
    must(uncovered >= 0, 'R4', told)
    if (this.#state === 'final') {
      const isFirst = settled === this.#charged && uncovered === this.#uncovered
      return must(repeated && isFirst, 'R4', () => `${told()}; it had been ${this.#charged}, ${this.#uncovered}`)
    }
    const before = this.#charged
    must(!repeated && settled + uncovered === actual, 'R4', () => `${told()}; it was not settled before`)
    must(settled >= Math.min(before, actual), 'R4', () => `${told()}; ${before} were charged`)
    must(actual > before || uncovered === 0, 'R4', () => `${told()}; ${before} were charged`)
    if (actual <= before) this.#shares = withoutLast(this.#shares, before - actual)
    else this.#draw(settled - before)
    this.#charged = settled
    this.#uncovered = uncovered
    this.#state = 'final'
    this.#isKeptFrom = 'now'
    this.#rule = 'R4'
  }

  /** R5 */
  #extend(
    { units, ttlMs }: Extract<ReservationChange, { op: 'extend' }>,
    outcome: ChangeOutcome | undefined,
    time: number,
  ): void {
    const told = (): string => `${this.#what}: an extension to ${units} was answered ${JSON.stringify(outcome)}`
    if (this.#state !== 'open') return must(outcome?.kind === 'not_open' && outcome.state === this.#state, 'R5', told)
    const lacking = Math.max(0, units - this.#units)
    if (outcome?.kind === 'refused') return must(lacking > 0, 'R5', told)
    this.#units = Math.max(this.#units, units)
    this.#expiresAt = Math.max(this.#expiresAt, time + ttlMs)
    must(
      outcome?.kind === 'extended' && outcome.units === this.#units && outcome.expiresAt === this.#expiresAt,
      'R5',
      () => `${told()}; it is ${this.#units} until ${this.#expiresAt}`,
    )
    this.#draw(lacking)
    this.#charged += lacking
    this.#rule = 'R5'
  }

  /** I2 */
  #refund(asked: number, outcome: ChangeOutcome | undefined): void {
    const told = (): string => `${this.#what}: a refund of ${asked} was answered ${JSON.stringify(outcome)}`
    if (this.#state !== 'final') return must(outcome?.kind === 'not_final', 'I2', told)
    must(outcome?.kind === 'refunded', 'I2', told)
    if (this.#refunded !== null) {
      const before = this.#refunded
      return must(outcome.repeated && outcome.units === before, 'I2', () => `${told()}; ${before} had come back before`)
    }
    must(!outcome.repeated, 'I2', told)
    must(outcome.units <= Math.min(asked, this.#charged), 'I2', () => `${told()}; ${this.#charged} were charged`)
    this.#refunded = outcome.units
    this.#isKeptFrom = 'now'
    this.#rule = 'I2'
  }

  /** Which sources gave how much is known where there is one alone. */
  #draw(units: number): void {
    if (units === 0) return
    this.#shares = this.#refundable === 1 ? [(this.#shares?.[0] ?? 0) + units] : null
  }

  /** @param after as the store has it @param time store time, ms since 1970 @throws Violation */
  assertIs(after: ReservationLot, time: number): void {
    const rule = this.#rule ?? 'R3'
    const text = (): string =>
      `${this.#what} went from ${JSON.stringify(this.#before)} to ${JSON.stringify(after)}, not to ${JSON.stringify({ state: this.#state, units: this.#units, charged: this.#shares ?? this.#charged, uncovered: this.#uncovered, expiresAt: this.#expiresAt, refunded: this.#refunded })}`
    const shares = after.sources.map(({ charged }) => charged)
    must(after.state === this.#state, rule, text)
    must(after.uncovered === this.#uncovered, 'R4', text)
    must(after.units === this.#units && after.expiresAt === this.#expiresAt, rule === 'R3' ? 'R5' : rule, text)
    must(sumOf(shares) === this.#charged, rule, text)
    must(this.#shares === null || this.#shares.join() === shares.join(), 'V3', text)
    this.#assertRefunded(after, text)
    this.#assertKept(after, time, text)
  }

  #assertRefunded(after: ReservationLot, text: () => string): void {
    const isRefunded = after.sources.some(({ refunded }) => refunded !== null)
    const refunded = after.sources.map((source) => source.refunded ?? 0)
    must(isRefunded === (this.#refunded !== null) && sumOf(refunded) === (this.#refunded ?? 0), 'I2', text)
    must(
      after.sources.every((source) => (source.refunded ?? 0) <= source.charged && (source.refunded ?? 0) >= 0),
      'I2',
      text,
    )
  }

  /** R6 */
  #assertKept({ keepUntil }: ReservationLot, time: number, text: () => string): void {
    const since = keepUntil === null ? null : keepUntil - KEPT_MS
    switch (this.#isKeptFrom) {
      case 'before':
        return must(keepUntil === this.#before.keepUntil, 'R6', text)
      case 'now':
        return must(since === time, 'R6', text)
      case 'expiry':
        // The store's upkeep may have ended it before this transaction.
        return must(since !== null && since >= this.#expiresAt && since <= time, 'R6', text)
    }
  }
}

/** V3: the last ones first. */
function withoutLast(shares: readonly number[] | null, units: number): readonly number[] | null {
  if (shares === null) return null
  let left = units
  return shares
    .toReversed()
    .map((share) => {
      const back = Math.min(left, share)
      left -= back
      return share - back
    })
    .toReversed()
}

export function sumOf(units: readonly number[]): number {
  return units.reduce((sum, one) => sum + one, 0)
}
