import { setImmediate, setTimeout } from 'node:timers/promises'
import { StoreError, VsaError, type AdmitOptions, type Budget, type Counter, type Decision, type Vsa } from 'vsa'
import { CallLogReader, type CallLogWriter } from './call-log.ts'
import type { BudgetConfig, ChildConfig } from './child-config.ts'
import type { Rng } from '../simulation/rng.ts'
import { CreditWorkload } from './credit-workload.ts'
import { mintId } from './test-budgets.ts'

/** A budget handle, and what may be asked of it. */
interface Target extends BudgetConfig {
  readonly budget: Budget
}

type Needs = readonly (readonly [target: Target, units: number])[]

/** Admissions of another child that are refunded in one go, at most. */
const REFUNDS_MAX = 20
/** So many of the latest mint ids are minted again and again. */
const RECENT_MINT_IDS = 3

/** The calls of a child, drawn from its seed. Each is logged before it is made and after it is answered. */
export class Workload {
  readonly #vsa: Vsa
  readonly #config: ChildConfig
  readonly #log: CallLogWriter
  readonly #rng: Rng
  readonly #targets: readonly Target[]
  readonly #counters: readonly (readonly [counter: Counter, addMax: number])[]
  readonly #otherLog: CallLogReader | null
  readonly #credits: CreditWorkload
  #isStopped = false
  #isFlushing = false

  constructor(vsa: Vsa, config: ChildConfig, log: CallLogWriter, rng: Rng) {
    this.#vsa = vsa
    this.#config = config
    this.#log = log
    this.#rng = rng
    this.#targets = Object.entries(config.budgets).map(([key, budget]) => ({
      ...budget,
      budget: vsa.budget(key, budget.policy),
    }))
    this.#counters = Object.entries(config.counters).map(([key, addMax]) => [vsa.counter(key), addMax])
    this.#credits = new CreditWorkload(vsa, config, log, rng)
    this.#otherLog = config.otherCallLog === null ? null : new CallLogReader(config.otherCallLog)
  }

  /** One caller: one call after the other until `stop`. Several may run at the same time. */
  async run(): Promise<void> {
    const { pauseMaxMs } = this.#config
    while (!this.#isStopped) {
      await this.#callOnce(oneOf(this.#rng, this.#targets), this.#rng.random())
      await (pauseMaxMs === 0 ? setImmediate() : setTimeout(this.#rng.whole(0, pauseMaxMs)))
    }
  }

  stop(): void {
    this.#isStopped = true
  }

  logError(error: unknown): void {
    const isKnown = error instanceof VsaError || error instanceof StoreError
    const code = isKnown ? error.code : error instanceof Error ? error.name : 'unknown'
    this.#log.write('event', code)
  }

  async #callOnce(target: Target, kind: number): Promise<void> {
    if (kind < 0.06) this.#addToCounter()
    else if (kind < 0.09) await this.#flush()
    else if (kind < 0.11) this.#refundOtherChild()
    else if (kind < 0.13) await this.#mint()
    else if (kind < 0.25) await this.#useCredits()
    else if (kind < 0.45 && target.atRisk > 0 && !target.isWindowed) this.#tryMany(target)
    else if (kind < 0.85) await this.#admit(target)
    else await this.#admitPair(target, oneOf(this.#rng, this.#targets))
  }

  /** `tryAdmit`, from memory. Not for windowed budgets: it does not return the period in which it admitted. */
  #tryMany({ budget }: Target): void {
    for (let times = this.#rng.whole(1, 20); times > 0; times -= 1) {
      const units = this.#rng.whole(1, 3)
      this.#log.write('requested', budget.key, units)
      this.#log.write(budget.tryAdmit(units) ? 'admitted' : 'denied', budget.key, units)
    }
  }

  async #admit(target: Target): Promise<void> {
    // A few cost more than a lease holds.
    const units = this.#rng.chance(0.02) ? this.#rng.whole(30, 300) : this.#rng.whole(1, 4)
    const decision = await this.#request([[target, units]], (options) => target.budget.decide(units, options))
    // Another child refunds the odd ones.
    if (decision === null || !target.isRefunded || units % 2 === 1 || this.#rng.chance(0.5)) return
    this.#refund(target, units, decision.period ?? 0)
  }

  async #admitPair(first: Target, second: Target): Promise<void> {
    // The decision names one period: that of the first budget.
    if (first === second || second.isWindowed) return
    const needs: Needs = [
      [first, this.#rng.whole(1, 2)],
      [second, this.#rng.whole(1, 2)],
    ]
    const costs = needs.map(([{ budget }, units]) => [budget, units] as const)
    await this.#request(needs, (options) => this.#vsa.decideAll(costs, options))
  }

  /** @returns null unless it was admitted */
  async #request(needs: Needs, call: (options: AdmitOptions) => Promise<Decision>): Promise<Decision | null> {
    for (const [{ budget }, units] of needs) this.#log.write('requested', budget.key, units)
    const options = {
      ...(this.#rng.chance(0.2) && { durable: true }),
      ...(this.#rng.chance(0.05) && { deadlineMs: this.#rng.whole(1, 60) }),
    }
    try {
      const decision = await call(options)
      for (const [{ budget, isWindowed }, units] of needs)
        this.#log.write(
          decision.admitted ? 'admitted' : 'denied',
          budget.key,
          units,
          isWindowed ? (decision.period ?? 0) : 0,
        )
      return decision.admitted ? decision : null
    } catch (error) {
      this.logError(error)
      const kind = error instanceof VsaError && error.applied === 'no' ? 'denied' : 'unknown'
      for (const [{ budget }, units] of needs) this.#log.write(kind, budget.key, units)
      return null
    }
  }

  /** Logged before the call: so the store never accepts more than is logged. */
  #refund({ budget, isWindowed }: Target, units: number, period: number): void {
    this.#log.write('refunding', budget.key, units, isWindowed ? period : 0)
    try {
      budget.refund(units, isWindowed ? { period } : undefined)
    } catch (error) {
      this.logError(error)
      this.#log.write('refused', budget.key, units, isWindowed ? period : 0)
    }
  }

  /** Refunds what another child admitted, which may not have been sent yet, or be lost with its process. Each odd admission once. */
  #refundOtherChild(): void {
    const records = this.#otherLog?.read() ?? []
    const admitted = records.filter(({ kind, units }) => kind === 'admitted' && units % 2 === 1)
    for (const { name, units, period } of admitted.slice(-REFUNDS_MAX)) {
      const target = this.#targets.find(({ budget }) => budget.key === name)
      if (target?.isRefunded !== true) continue
      this.#log.write('event', 'refund_for_other', units)
      this.#refund(target, units, period)
    }
  }

  /** Several processes use the same ids. A call that fails is asked again by its id. */
  async #useCredits(): Promise<void> {
    try {
      await this.#credits.callOnce()
    } catch (error) {
      this.logError(error)
    }
  }

  /** Several processes mint the same ids. */
  async #mint(): Promise<void> {
    const targets = this.#targets.filter(({ mintUnits }) => mintUnits > 0)
    if (targets.length === 0) return
    const { budget, mintUnits } = oneOf(this.#rng, targets)
    const { mintIds } = this.#config
    const id = mintId(this.#rng.whole(Math.max(0, mintIds - RECENT_MINT_IDS), mintIds - 1))
    this.#log.write('minting', budget.key, mintUnits, 0, id)
    try {
      const isFirst = await budget.mint(mintUnits, { id })
      this.#log.write('minted', budget.key, isFirst ? 1 : 0, 0, id)
    } catch (error) {
      this.logError(error)
    }
  }

  #addToCounter(): void {
    const [counter, addMax] = oneOf(this.#rng, this.#counters)
    const units = addMax === 1 ? 1 : this.#rng.whole(-addMax, addMax)
    this.#log.write('adding', counter.key, units)
    try {
      counter.add(units)
    } catch (error) {
      this.logError(error)
      this.#log.write('adding', counter.key, -units)
    }
  }

  /** What was added before a flush that resolved is durable. One flush at a time, so that `flushed` belongs to the last `flushing`. */
  async #flush(): Promise<void> {
    if (this.#isFlushing) return
    this.#isFlushing = true
    this.#log.write('flushing')
    try {
      await this.#vsa.flush()
      this.#log.write('flushed')
    } catch (error) {
      this.logError(error)
    }
    this.#isFlushing = false
  }
}

/** @throws RangeError when there is nothing to choose from */
function oneOf<T>(rng: Rng, choices: readonly T[]): T {
  const choice = rng.pickAny(choices)
  if (choice === undefined) throw new RangeError('nothing to choose from')
  return choice
}
