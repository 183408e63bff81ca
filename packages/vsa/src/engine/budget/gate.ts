import type { Decision } from '../../core/decision.ts'
import type { Plan, Window } from '../../core/plan.ts'
import type { Account } from '../rows/row-lease.ts'
import type { AdmitOptions, Budget, Peek } from '../api/public-types.ts'
import type { Family } from './family.ts'
import type { Tally } from '../runtime/metrics.ts'

/** Made once, so that the hot path of `admit` allocates nothing. Nobody can change what a promise of a boolean says. */
const ADMITTED: Promise<boolean> = Promise.resolve(true)

/**
 * One budget in memory: the hot path, and the handle that users hold. One key has one gate (G5).
 *
 * A gate stays small while its budget is idle: everything about leases and rows is in `account`, which is dropped when there is
 * nothing to keep. The fields are plain because the parts of the engine share them; users see {@link Budget}.
 */
export class Gate implements Budget {
  /**
   * Units that may be spent before the hot path must stop: `left - floor`, where the floor is what is left at first, so that the first
   * spending stops, then the low-water mark, then 0 (G1). One field, because the difference is all that the hot path asks for.
   */
  room = 0
  /** The family's. Declared next to `room`, so that both lie in one cache line: with a million budgets each further line is a wait. */
  readonly tally: Tally
  /** The row that is admitted from now; null while there is nothing to keep of it. */
  account: Account | null = null
  /** The next period's row, fetched ahead. */
  upcoming: Account | null = null
  /** The last window whose row the store was seen to have: it must never be made again. */
  knownWindow: Window | null = null
  /** The next gate in the registry's ring. */
  ringNext: Gate | null = null
  /** Its last lease went back untouched: the next one waits for a second request, so that a rare key costs one record a request. */
  sparse = false
  /** No longer in the registry: the next slow call finds the key's gate, or puts this one back. */
  evicted = false
  readonly id: string
  readonly family: Family
  readonly plan: Plan

  constructor(family: Family, id: string, plan: Plan) {
    this.family = family
    this.id = id
    this.plan = plan
    this.tally = family.tally
  }

  get key(): string {
    return this.family.keyOf(this.id)
  }

  tryAdmit(units = 1): boolean {
    const room = this.room - units
    if (!(room >= 0) || units <= 0 || !Number.isInteger(units)) {
      // Compared, so that V8 knows both ways out to be booleans: the loop that calls this tests no tagged value.
      // oxlint-disable-next-line typescript/no-unnecessary-boolean-literal-compare
      return this.family.tryAdmitSlowly.call(undefined, this, units) === true
    }
    this.room = room
    if (units !== 1) this.tally.surplusUnits += units - 1
    return true
  }

  admit(units = 1, options?: AdmitOptions): Promise<boolean> {
    const room = this.room - units
    if (options !== undefined || !(room >= 0) || units <= 0 || !Number.isInteger(units)) {
      return this.family.desk.admit(this, units, options)
    }
    this.room = room
    if (units !== 1) this.tally.surplusUnits += units - 1
    return ADMITTED
  }

  decide(units = 1, options?: AdmitOptions): Promise<Decision> {
    return this.family.desk.decide(this, units, options)
  }

  refund(units = 1, decision?: { readonly period: number }): void {
    const { account } = this
    const room = this.room + units
    if (
      account === null ||
      !(room <= account.roomMax) ||
      decision !== undefined ||
      units <= 0 ||
      !Number.isInteger(units)
    ) {
      this.family.desk.refund(this, units, decision)
      return
    }
    this.room = room
    const { tally } = this
    tally.unspentUnits += units
    tally.refundedUnits += units
    tally.refunds += 1
  }

  mint(units: number, options: { readonly id: string }): Promise<boolean> {
    return this.family.desk.mint(this, units, options)
  }

  peek(): Promise<Peek> {
    return this.family.desk.peek(this)
  }
}
