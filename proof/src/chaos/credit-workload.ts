import type { Budget, Vsa } from 'vsa'
import type { Rng } from '../simulation/rng.ts'
import type { CallLogWriter } from './call-log.ts'
import type { ChildConfig } from './child-config.ts'
import { admissionId, CREDIT_BUDGETS, recentIds, reservationId, unitsOf } from './credit-budgets.ts'

/** Reservations and admissions with ids that all processes share. Each answer is logged before anything else is done. */
export class CreditWorkload {
  readonly #config: ChildConfig
  readonly #log: CallLogWriter
  readonly #rng: Rng
  readonly #budgets: readonly Budget[]

  constructor(vsa: Vsa, config: ChildConfig, log: CallLogWriter, rng: Rng) {
    this.#config = config
    this.#log = log
    this.#rng = rng
    this.#budgets = Object.entries(CREDIT_BUDGETS).map(([key, { policy }]) => vsa.budget(key, policy))
  }

  /** @throws what the call rejects with: it is logged by the caller */
  async callOnce(): Promise<void> {
    const budget = this.#rng.pickAny(this.#budgets)
    const [first, last] = recentIds(this.#config.mintIds)
    const number = this.#rng.whole(first, last)
    const kind = this.#rng.random()
    if (budget === undefined) return
    if (kind < 0.4) await this.#reserve(budget, number)
    else if (kind < 0.7) await this.#settle(budget, number)
    else if (kind < 0.9) await this.#admit(budget, number)
    else await this.#refund(budget, number)
  }

  /** Most are settled soon, some by another process, and some end by themselves. */
  async #reserve(budget: Budget, number: number): Promise<void> {
    const id = reservationId(number)
    const ttlMs = this.#rng.chance(0.3) ? this.#rng.whole(1, 2_000) : 86_400_000
    const onExpire = number % 2 === 0 ? 'return' : 'capture'
    const made = await budget.reserve(unitsOf(number), { id, ttlMs, onExpire })
    this.#log.write(made === null ? 'unreserved' : 'reserved', budget.key, unitsOf(number), 0, id)
    if (made === null || this.#rng.chance(0.5)) return
    if (this.#rng.chance(0.2)) await made.extend({ units: 2 * unitsOf(number), ttlMs: this.#rng.whole(1, 5_000) })
    await this.#settle(budget, number)
  }

  async #settle(budget: Budget, number: number): Promise<void> {
    const id = reservationId(number)
    const actual = this.#rng.whole(0, 3 * unitsOf(number))
    const { settled, repeated } = await budget.reservation(id).settle(actual)
    this.#log.write('settled', budget.key, settled, repeated ? 1 : 0, id)
  }

  async #admit(budget: Budget, number: number): Promise<void> {
    const id = admissionId(number)
    const { admitted, repeated } = await budget.decide(unitsOf(number), { id })
    if (admitted) this.#log.write('admitted-once', budget.key, unitsOf(number), repeated === true ? 1 : 0, id)
  }

  async #refund(budget: Budget, number: number): Promise<void> {
    const id = admissionId(number)
    const { units, repeated } = await budget.refund(this.#rng.whole(1, 2 * unitsOf(number)), { id })
    this.#log.write('given-back', budget.key, units, repeated ? 1 : 0, id)
  }
}
