import type { ReservationRow, Take, TakeOutcome } from '../../../packages/vsa/dist/index.js'
import type { AppliedBatch } from './applied-batch.ts'
import { KEPT_MS, sumOf } from './lot-replay.ts'
import { budgetKeys, ReservationLives, requestOfTake } from './reservation-lives.ts'
import { ReservationSums } from './reservation-moves.ts'
import { ReservationScenarios } from './reservation-scenarios.ts'
import { RowReplay } from './row-replay.ts'
import { primaryOf } from './saved-reservations.ts'
import type { Scenarios } from './scenarios.ts'
import { must } from './violation.ts'
import type { Violations } from './violations.ts'

/** What one transaction did to the reservations. */
export interface ReservationChanges {
  /** What moved in the rows and counters that they came from. */
  readonly moves: ReservationSums
  /** L7: how many were written by the exchange; null where the upkeep before it may have written some of them. */
  readonly records: number | null
  /** Whether anything changed. */
  readonly any: boolean
}

/** Checks the changes of one transaction to the reservations: R1 to R6, I1, I2. It computes each by itself, from the batch. */
export class ReservationAudit {
  readonly lives: ReservationLives = new ReservationLives()
  /** What all of them hold now. */
  sums: ReservationSums = new ReservationSums()
  readonly #violations: Violations
  readonly #scenarios: ReservationScenarios
  #rows: ReadonlyMap<string, ReservationRow> = new Map()
  /** As `requestText`, by {@link primaryOf}. */
  readonly #requests = new Map<string, string>()
  /** The clock that the store reads: nothing is forgotten that is not old enough by it, though store time may be ahead. */
  readonly #clock: () => number

  constructor(scenarios: Scenarios, violations: Violations, clock: () => number) {
    this.#scenarios = new ReservationScenarios(scenarios)
    this.#violations = violations
    this.#clock = clock
  }

  get rows(): ReadonlyMap<string, ReservationRow> {
    return this.#rows
  }

  /** @param time store time, ms since 1970 @param applied the batch that was applied, if one was */
  compare(rows: readonly ReservationRow[], time: number, applied?: AppliedBatch): ReservationChanges {
    this.lives.next()
    const before = this.#rows
    const after = new Map(rows.map((row) => [primaryOf(row), row]))
    const forgotten = this.#forgetGone(before, after, applied, time)
    const replays = this.#replay(before, forgotten, after, applied)
    const moves = new ReservationSums()
    let records = 0
    let isSwept = forgotten.size > 0
    for (const name of forgotten) {
      const row = before.get(name)
      if (row !== undefined) moves.forget(row)
    }
    for (const [name, row] of after) {
      const was = forgotten.has(name) ? undefined : before.get(name)
      if (was === row) continue
      if (was === undefined) this.#check(() => this.#assertMade(name, row, applied, time))
      else {
        this.#check(() => (replays.get(name) ?? this.#replayOf(was)).assertIs(row, time))
        this.#scenarios.changed(was, row, time)
        this.lives.changed(row)
        moves.add(was, -1)
        isSwept ||= hasEnded(was, row, time)
      }
      moves.add(row, 1)
      records += 1
    }
    // A change that must show, and does not.
    for (const [name, replay] of replays) {
      const row = after.get(name)
      if (row !== undefined && row === before.get(name)) this.#check(() => replay.assertIs(row, time))
    }
    this.#rows = after
    if (records > 0 || isSwept) this.sums = sumsOf(rows)
    return { moves, records: isSwept ? null : records, any: records > 0 || isSwept }
  }

  /** P6: those with a budget of this key are gone, and no other has changed. @param time store time, ms since 1970 */
  deleted(rows: readonly ReservationRow[], time: number, key: string): ReservationChanges {
    this.lives.next()
    const now = Math.min(time, this.#clock())
    const after = new Map(rows.map((row) => [primaryOf(row), row]))
    const moves = new ReservationSums()
    let gone = 0
    for (const [name, row] of this.#rows) {
      if (after.get(name) === row) continue
      this.#check(() =>
        must(!after.has(name) && isOf(row, key), 'P6', () => `${name} was changed by a deletion of ${key}`),
      )
      moves.delete(row, now)
      this.lives.end(row)
      gone += 1
    }
    const isMade = after.size + gone > this.#rows.size
    this.#check(() => must(!isMade, 'P6', () => `a deletion of ${key} made a reservation`))
    if (gone > 0) this.#scenarios.deleted()
    this.#rows = after
    this.sums = sumsOf(rows)
    return { moves, records: null, any: gone > 0 }
  }

  /** Whether units of it came from a budget with this key. */
  has(key: string): boolean {
    return [...this.#rows.values()].some((row) => isOf(row, key))
  }

  /** R6 @returns what was forgotten, also where the id was granted again in the same transaction */
  #forgetGone(
    before: ReadonlyMap<string, ReservationRow>,
    after: ReadonlyMap<string, ReservationRow>,
    applied: AppliedBatch | undefined,
    time: number,
  ): ReadonlySet<string> {
    const now = Math.min(time, this.#clock())
    const forgotten = new Set<string>()
    for (const [name, row] of before) {
      const isMadeAgain = applied !== undefined && isForgettable(row, now) && madeBy(row, applied) !== undefined
      if (after.has(name) && !isMadeAgain) continue
      forgotten.add(name)
      this.#check(() =>
        must(isForgettable(row, now), 'R6', () => `${name} was forgotten at ${now}: ${JSON.stringify(row.lots)}`),
      )
      this.lives.end(row)
      this.#scenarios.forgotten()
    }
    return forgotten
  }

  /** What the batch must have made of those that it names, and what its takes must have been answered. */
  #replay(
    before: ReadonlyMap<string, ReservationRow>,
    forgotten: ReadonlySet<string>,
    after: ReadonlyMap<string, ReservationRow>,
    applied: AppliedBatch | undefined,
  ): ReadonlyMap<string, RowReplay> {
    const replays = new Map<string, RowReplay>()
    if (applied === undefined) return replays
    const { batch, answer } = applied
    const byKey = new Map<string, RowReplay>()
    const note = (row: ReservationRow, replay: RowReplay): void => {
      for (const lot of row.lots) for (const key of budgetKeys(lot)) byKey.set(primaryOf({ key, id: row.id }), replay)
    }
    for (const [name, row] of before) if (!forgotten.has(name)) note(row, this.#replayOf(row))
    for (const [at, change] of (batch.changes ?? []).entries()) {
      const outcome = answer.credits?.changes[at]
      const replay = byKey.get(primaryOf(change))
      this.#scenarios.answered(change, outcome, replay, batch.epoch, this.lives)
      if (replay === undefined) {
        const text = (): string => `${change.id} is not known, and a change was answered ${JSON.stringify(outcome)}`
        this.#check(() => must(outcome?.kind === 'unknown', 'R7', text))
        continue
      }
      this.#check(() => replay.apply(change, outcome, answer.time))
      replays.set(primaryOf(replay.before), replay)
    }
    for (const [at, take] of batch.takes.entries()) {
      if (take.remember === undefined || take.n === 0) continue
      const replay = this.#replayTake(take, applied, at, byKey)
      if (replay !== undefined) replays.set(primaryOf(replay.before), replay)
      const made = madeIn(take, applied, after)
      if (replay === undefined && made !== undefined) note(made, new RowReplay(made, requestOfTake(take, batch)))
    }
    for (const name of replays.keys()) if (!before.has(name) || forgotten.has(name)) replays.delete(name)
    return replays
  }

  /** @returns what the take found; undefined where its id was not known */
  #replayTake(
    take: Take,
    { batch, answer }: AppliedBatch,
    at: number,
    byKey: ReadonlyMap<string, RowReplay>,
  ): RowReplay | undefined {
    const { id, as } = take.remember ?? { id: '', as: 'admission' }
    const outcome: TakeOutcome | undefined = answer.credits?.takes[at]
    const keys = take.need.flatMap(([index]) => {
      const entry = batch.entries[index]
      return entry?.kind === 'budget' ? [entry.key] : []
    })
    const found = keys.map((key) => byKey.get(primaryOf({ key, id })))
    const replay = found.find((one) => one !== undefined)
    const granted = answer.granted[at] ?? 0
    const law = as === 'admission' ? 'I1' : 'R1'
    const text = (): string => `${id} of ${keys.join()} was answered ${granted}, ${JSON.stringify(outcome)}`
    if (replay === undefined) {
      const isNew = outcome?.kind === 'remembered' && !outcome.repeated && granted === 1
      this.#check(() => must(outcome === undefined || isNew, law, text))
      return undefined
    }
    this.#check(() => must(granted === 0, law, text))
    this.#check(() => replay.repeat(requestOfTake(take, batch), outcome, answer.time))
    return replay
  }

  #replayOf(row: ReservationRow): RowReplay {
    return new RowReplay(row, this.#requests.get(primaryOf(row)) ?? '')
  }

  /** R1, I1, V1: exactly what a take of the batch asked for. @throws Violation */
  #assertMade(name: string, row: ReservationRow, applied: AppliedBatch | undefined, time: number): void {
    const take = applied === undefined ? undefined : madeBy(row, applied)
    const text = (): string => `${name} was made: ${JSON.stringify(row)}, by ${JSON.stringify(take)}`
    if (applied !== undefined && take !== undefined) {
      const request = requestOfTake(take, applied.batch)
      this.#requests.set(name, request)
      if (this.lives.latest(row.key, row.id) !== undefined) this.#scenarios.madeAgain()
      this.lives.begin(row, request, applied.view.epoch)
      this.#scenarios.made(row, take)
    }
    must(take?.remember !== undefined, 'R1', text)
    const { as, ttlMs, onExpire } = take.remember
    const isFinal = as === 'admission'
    must(row.as === as && (isFinal || row.onExpire === onExpire), 'R1', text)
    const charges = row.lots.flatMap(({ sources }) => sources.map(({ charged }) => charged))
    const units = take.need.map(([, cost]) => cost)
    if (take.first === true) must(row.lots.length === 1 && sumOf(charges) === units[0], 'V1', text)
    else must(row.lots.length === units.length && charges.join() === units.join(), 'R1', text)
    for (const lot of row.lots) {
      must(lot.units === sumOf(lot.sources.map(({ charged }) => charged)) && lot.uncovered === 0, 'R1', text)
      must(
        lot.sources.every(({ refunded }) => refunded === null),
        'I2',
        text,
      )
      must(lot.state === (isFinal ? 'final' : 'open'), isFinal ? 'I1' : 'R1', text)
      must(lot.expiresAt === (isFinal ? 0 : time + ttlMs), 'R3', text)
      must(lot.keepUntil === (isFinal ? time + KEPT_MS : null), 'R6', text)
    }
  }

  #check(check: () => void): void {
    this.#violations.attempt(check)
  }
}

function sumsOf(rows: readonly ReservationRow[]): ReservationSums {
  const sums = new ReservationSums()
  for (const row of rows) sums.add(row, 1)
  return sums
}

function isOf({ lots }: ReservationRow, key: string): boolean {
  return lots.some((lot) => budgetKeys(lot).includes(key))
}

/** R6: none of its lots is open, and each was kept for long enough. */
function isForgettable({ lots }: ReservationRow, now: number): boolean {
  return lots.every(({ keepUntil }) => keepUntil !== null && keepUntil <= now)
}

/** A lot was due, and upkeep may have ended it. */
function hasEnded(was: ReservationRow, row: ReservationRow, time: number): boolean {
  const isDue = ({ state, expiresAt }: ReservationRow['lots'][number]): boolean => state === 'open' && expiresAt <= time
  return was.lots.some((lot, at) => isDue(lot) && row.lots[at]?.state !== 'open')
}

/** The take of the batch that was answered as the one that made it. */
function madeBy({ key, id }: ReservationRow, { batch, answer }: AppliedBatch): Take | undefined {
  return batch.takes.find(({ need, remember }, at) => {
    const outcome = answer.credits?.takes[at]
    if (remember?.id !== id || outcome?.kind !== 'remembered' || outcome.repeated) return false
    const first = need.flatMap(([index]) => {
      const entry = batch.entries[index]
      return entry?.kind === 'budget' ? [entry.key] : []
    })[0]
    return first === key
  })
}

function madeIn(
  take: Take,
  applied: AppliedBatch,
  after: ReadonlyMap<string, ReservationRow>,
): ReservationRow | undefined {
  return [...after.values()].find((row) => row.id === take.remember?.id && madeBy(row, applied) === take)
}
