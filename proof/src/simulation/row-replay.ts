import type { ChangeOutcome, ReservationChange, ReservationRow, TakeOutcome } from '../../../packages/vsa/dist/index.js'
import { LotReplay, sumOf } from './lot-replay.ts'
import { budgetKeys } from './reservation-lives.ts'
import { must } from './violation.ts'

/** What one batch makes of a reservation, computed by itself. */
export class RowReplay {
  readonly before: ReservationRow
  /** As `requestText`. */
  readonly request: string
  readonly lots: readonly LotReplay[]

  constructor(before: ReservationRow, request: string) {
    this.before = before
    this.request = request
    this.lots = before.lots.map(
      (lot, at) => new LotReplay(`${JSON.stringify(before.key)} ${before.id} ${at}`, lot, before.onExpire),
    )
  }

  /** R3: all that are due, before anything touches one of them. @param time store time, ms since 1970 */
  touch(time: number): void {
    for (const lot of this.lots) lot.expire(time)
  }

  /** @throws Violation */
  apply(change: ReservationChange, outcome: ChangeOutcome | undefined, time: number): void {
    this.touch(time)
    const at = this.before.lots.findIndex((lot) => budgetKeys(lot).includes(change.key))
    this.lots[at]?.apply(change, outcome, time)
  }

  /** R1, I1: the same request again moves nothing, and is answered from the row. @throws Violation */
  repeat(request: string, outcome: TakeOutcome | undefined, time: number): void {
    this.touch(time)
    const law = this.before.as === 'admission' ? 'I1' : 'R1'
    const text = (): string =>
      `${this.before.id} was made by ${this.request}, and ${request} was answered ${JSON.stringify(outcome)}`
    if (request !== this.request) return must(outcome?.kind === 'id_conflict', law, text)
    const isGivenBack = this.lots.some(({ isRefunded }) => isRefunded) && sumOf(this.lots.map(({ kept }) => kept)) === 0
    if (this.before.as === 'admission' && isGivenBack) return must(outcome?.kind === 'refunded', law, text)
    must(outcome?.kind === 'remembered' && outcome.repeated, law, text)
    must(sumOf(outcome.charged) === sumOf(this.lots.map(({ charged }) => charged)), 'V1', text)
    const states = this.lots.map(({ state }) => state)
    const state = states.find((one) => one === 'open') ?? states.find((one) => one === 'expired') ?? 'final'
    must(outcome.state === state && outcome.units === sumOf(this.lots.map(({ units }) => units)), law, text)
  }

  /** @param after as the store has it @throws Violation */
  assertIs(after: ReservationRow, time: number): void {
    must(
      after.lots.length === this.lots.length && nameText(after) === nameText(this.before),
      'R1',
      () => `${JSON.stringify(this.before)} became ${JSON.stringify(after)}`,
    )
    for (const [at, lot] of this.lots.entries()) {
      const now = after.lots[at]
      if (now === undefined) continue
      // The store's upkeep ends what is due, and so does every call that touches it.
      if (!lot.isChanged && now.state === 'expired') lot.expire(time)
      lot.assertIs(now, time)
    }
  }
}

/** What never changes of a reservation. */
function nameText({ key, id, as, request, onExpire, lots }: ReservationRow): string {
  const sources = lots.map((lot) => lot.sources.map((source) => [source.key, source.period]))
  return JSON.stringify([key, id, as, request, onExpire, sources])
}
