import type { ChangeOutcome, ReservationChange, ReservationRow, Take } from '../../../packages/vsa/dist/index.js'
import type { ReservationLives } from './reservation-lives.ts'
import type { RowReplay } from './row-replay.ts'
import type { Scenarios } from './scenarios.ts'

const RACE_MS = 20

/** Records the scenarios that are visible in the changes of reservations. */
export class ReservationScenarios {
  readonly #scenarios: Scenarios

  constructor(scenarios: Scenarios) {
    this.#scenarios = scenarios
  }

  made({ lots }: ReservationRow, { first, remember }: Take): void {
    if (remember?.as === 'reservation' && lots.length > 1) this.#scenarios.note('17 several budgets reserved')
    const gave = lots.flatMap(({ sources }) => sources.filter(({ charged }) => charged > 0))
    if (first !== true) return
    if (gave.length > 1) this.#scenarios.note('17 a waterfall over several budgets')
    if (gave.some(({ period }) => period === null)) this.#scenarios.note('17 a waterfall takes the overage')
  }

  /** R6 */
  forgotten(): void {
    this.#scenarios.note('13 an id that is forgotten')
  }

  /** P6 */
  deleted(): void {
    this.#scenarios.note('16 deleted beside reservations')
  }

  madeAgain(): void {
    this.#scenarios.note('13 an id that is used again after it was forgotten')
  }

  /** @param time store time, ms since 1970 */
  changed(was: ReservationRow, row: ReservationRow, time: number): void {
    for (const [at, before] of was.lots.entries()) {
      const now = row.lots[at]
      if (now === undefined || now.state === before.state) continue
      if (now.state === 'expired')
        this.#scenarios.note(row.onExpire === 'return' ? '13 ends, and gives back' : '13 ends, and keeps')
      if (now.state !== 'final') continue
      if (before.expiresAt <= time) this.#scenarios.note('13 settled after its end')
      if (Math.abs(before.expiresAt - time) <= RACE_MS) this.#scenarios.note('13 settle races the end')
      if (now.uncovered > 0) this.#scenarios.note('13 settled for more than there is')
      if (now.uncovered === 0 && chargedOf(now) > chargedOf(before) && before.state === 'open')
        this.#scenarios.note('13 settled for more than was reserved')
    }
  }

  /** @param replay the reservation, before the change; undefined where the id is not known */
  answered(
    change: ReservationChange,
    outcome: ChangeOutcome | undefined,
    replay: RowReplay | undefined,
    epoch: number,
    lives: ReservationLives,
  ): void {
    if (outcome === undefined || replay === undefined) return
    const isOther = lives.latest(change.key, change.id)?.epoch !== epoch
    if (outcome.kind === 'settled' && outcome.repeated) this.#scenarios.note('13 settled twice')
    if (outcome.kind === 'settled' && !outcome.repeated && isOther)
      this.#scenarios.note('13 settled in another epoch than reserved')
    if (outcome.kind === 'extended') this.#scenarios.note('13 extended')
    if (outcome.kind === 'not_open' && outcome.state === 'expired') this.#scenarios.note('13 extended after its end')
    if (outcome.kind === 'refunded')
      this.#scenarios.note(outcome.repeated ? '12 refund by id, again' : '12 refund by id')
    if (outcome.kind === 'not_final') this.#scenarios.note('12 refund by id of an open reservation')
  }
}

function chargedOf({ sources }: ReservationRow['lots'][number]): number {
  return sources.reduce((sum, { charged }) => sum + charged, 0)
}
