import type { Budget } from '../index.ts'
import type { Header, HeadersWriter } from './header.ts'
import type { HttpClock } from './http-clock.ts'
import type { PolicyFigures } from './policy-figures.ts'
import { secondsUntil } from './retry-after.ts'
import type { UnitsOf } from './spent-units.ts'

/** How long figures are shown, less what this middleware has spent since: as long as an engine's own are, by default. */
const SHOWN_MS = 100

const NO_HEADERS: readonly Header[] = []

/** The figures of the last decision, less what has been spent since. They are written, and never kept. */
interface Shown {
  readonly figures: [{ -readonly [Name in keyof PolicyFigures]: PolicyFigures[Name] }]
  readonly decidedAtMs: number
}

/** Admits from memory within the turn, where there is certain to be room: no promise, no decision. */
export class QuickAdmission {
  readonly #headersOf: HeadersWriter | null
  readonly #clock: HttpClock
  readonly #shown = new WeakMap<Budget, Shown>()

  /** @param headersOf null: no headers */
  constructor(headersOf: HeadersWriter | null, clock: HttpClock) {
    this.#headersOf = headersOf
    this.#clock = clock
  }

  /** The headers of the admitted request. Null: it is to be decided otherwise, and nothing was spent. */
  admit({ budget, units }: UnitsOf): readonly Header[] | null {
    if (units === 0 || !(budget.room >= units)) return null
    if (this.#headersOf === null) return budget.tryAdmit(units) ? NO_HEADERS : null
    const shown = this.#shown.get(budget)
    if (shown === undefined) return null
    const nowMs = this.#clock.now()
    if (!isFresh(shown, nowMs) || !budget.tryAdmit(units)) return null
    const [figures] = shown.figures
    figures.remaining = Math.max(0, figures.remaining - units)
    if (figures.resetAtMs !== undefined) figures.resetSeconds = secondsUntil(figures.resetAtMs, nowMs)
    return this.#headersOf(shown.figures)
  }

  /** What a decision has just said of the budget. */
  note(budget: Budget, figures: PolicyFigures, decidedAtMs: number): void {
    this.#shown.set(budget, { figures: [{ ...figures }], decidedAtMs })
  }
}

function isFresh({ decidedAtMs, figures: [{ resetAtMs = Infinity }] }: Shown, nowMs: number): boolean {
  return nowMs >= decidedAtMs && nowMs < decidedAtMs + SHOWN_MS && nowMs < resetAtMs
}
