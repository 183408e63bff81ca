import type { Batch, ReservationLot, ReservationRow, Take } from '../../../packages/vsa/dist/index.js'

/** What was asked for: the operation, the form, the sources in order, and their units. Another request is another text. */
export function requestText(
  as: ReservationRow['as'],
  form: 'all' | 'first',
  sources: readonly (readonly [kind: 'budget' | 'counter', key: string, units: number])[],
): string {
  return JSON.stringify([as, form, sources])
}

/** As `requestText`, of a take that is remembered. */
export function requestOfTake({ need, first, remember }: Take, { entries }: Pick<Batch, 'entries'>): string {
  const sources = need.flatMap(([at, units]) => {
    const entry = entries[at]
    return entry === undefined || entry.kind === 'void' ? [] : [[entry.kind, entry.key, units] as const]
  })
  return requestText(remember?.as ?? 'admission', first === true ? 'first' : 'all', sources)
}

/** What became of one lot, as the store's transactions show it. */
export interface LotLife {
  /** The keys of its budgets. */
  readonly keys: readonly string[]
  now: ReservationLot
  /** The moment after which it was open no more; Infinity before that. */
  openUntil: number
  /** The moment from which on it was final; Infinity before that. */
  finalFrom: number
  /** How often callers were told that they settled it, and gave it back, first. */
  settledFirst: number
  refundedFirst: number
}

/** One reservation, from its first request until it is forgotten. */
export interface Life {
  readonly id: string
  readonly keys: readonly string[]
  readonly request: string
  readonly as: ReservationRow['as']
  /** The epoch that made it. */
  readonly epoch: number
  /** In moments of {@link ReservationLives}; `until` is Infinity while it is remembered. */
  readonly from: number
  until: number
  readonly lots: readonly LotLife[]
  /** How often callers were told that it was granted now, not before. */
  grantedFirst: number
  /** The processes whose callers were told that it is granted. */
  readonly toldTo: Set<number>
}

/** Every reservation that the store has ever had, in the order of its transactions, so that answers can be checked against it when they arrive. */
export class ReservationLives {
  readonly #lives = new Map<string, Life[]>()
  #moment = 0

  /** The number of the store's last transaction. */
  get moment(): number {
    return this.#moment
  }

  next(): void {
    this.#moment += 1
  }

  begin({ id, as, lots }: ReservationRow, request: string, epoch: number): void {
    const from = this.#moment
    const lotLives = lots.map((now) => ({
      keys: budgetKeys(now),
      now,
      ...(now.state === 'final' ? { openUntil: from, finalFrom: from } : { openUntil: Infinity, finalFrom: Infinity }),
      ...{ settledFirst: 0, refundedFirst: 0 },
    }))
    const keys = lotLives.flatMap((lot) => lot.keys)
    const life: Life = {
      ...{ id, keys, request, as, epoch, from, lots: lotLives },
      ...{ until: Infinity, grantedFirst: 0, toldTo: new Set<number>() },
    }
    for (const key of keys) this.#named(key, id).push(life)
  }

  changed(row: ReservationRow): void {
    const life = this.latest(row.key, row.id)
    for (const [at, now] of row.lots.entries()) {
      const lot = life?.lots[at]
      if (lot === undefined) continue
      lot.now = now
      if (now.state !== 'open') lot.openUntil = Math.min(lot.openUntil, this.#moment)
      if (now.state === 'final') lot.finalFrom = Math.min(lot.finalFrom, this.#moment)
    }
  }

  end({ key, id }: ReservationRow): void {
    const life = this.latest(key, id)
    if (life !== undefined) life.until = this.#moment
  }

  latest(key: string, id: string): Life | undefined {
    return this.#named(key, id).at(-1)
  }

  /** Those that the store remembered at some moment since then. */
  since(key: string, id: string, moment: number): readonly Life[] {
    return this.#named(key, id).filter(({ until }) => until >= moment)
  }

  /** The one that the store has remembered all the time since then; undefined where there was a moment without. */
  throughout(key: string, id: string, moment: number): Life | undefined {
    return this.#named(key, id).find(({ from, until }) => from <= moment && until === Infinity)
  }

  #named(key: string, id: string): Life[] {
    const name = JSON.stringify([key, id])
    const lives = this.#lives.get(name) ?? []
    this.#lives.set(name, lives)
    return lives
  }
}

export function budgetKeys({ sources }: ReservationLot): readonly string[] {
  return sources.flatMap(({ key, period }) => (period === null ? [] : key))
}
