import { parseAccessLine } from './access-line.ts'
import { parseJsonLine } from './json-line.ts'
import { type KeyField, keyOf } from './key-field.ts'
import { LINE_BYTES_MAX, type Line } from './line-splitter.ts'
import { type Logged, bad } from './logged.ts'
import { Reorderer } from './reorderer.ts'
import type { ReplayRequest } from './replay-request.ts'
import { SecondSpreader } from './second-spreader.ts'
import { type ConvertedTimes, TimeUnits } from './time-units.ts'

/** Counts of a log. */
export interface LogTally {
  readonly lines: number
  readonly requests: number
  readonly badLines: number
  /** The first five bad lines. */
  readonly badExamples: readonly BadLine[]
  /** Requests that were logged after a later one. They were sorted, except those that came too late. */
  readonly outOfOrder: number
  /** Requests that came too late to be sorted. They were replayed at the time that the replay had reached. */
  readonly tooLate: number
  readonly furthestBackMs: number
  /** Times that were numbers in another unit than ms. */
  readonly convertedTimes: ConvertedTimes
  /** Times of the earliest and the latest request, ms since 1970; null without requests. */
  readonly from: number | null
  readonly to: number | null
}

export interface BadLine {
  readonly line: number
  readonly reason: string
  /** The beginning of the line. */
  readonly text: string
}

const BAD_EXAMPLES_MAX = 5
const BAD_TEXT_MAX = 120

/** Times are before this year: a kept store keeps its rows for 100 years, counted from 1970 at the earliest. */
const YEAR_END = 2069
const TIME_END = Date.UTC(YEAR_END, 0)

/** Turns lines into requests, in order of time. */
export class RequestReader {
  readonly #key: KeyField
  readonly #reorderer = new Reorderer<Ordered>()
  readonly #spreader = new SecondSpreader()
  readonly #units = new TimeUnits()
  readonly #badExamples: BadLine[] = []
  #lines = 0
  #requests = 0
  #badLines = 0
  #from = Number.POSITIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY

  constructor(key: KeyField) {
    this.#key = key
  }

  /** Returns the requests that are ready. Those of the last minutes wait in case earlier ones follow. */
  read(lines: readonly Line[]): readonly ReplayRequest[] {
    for (const line of lines) this.#readLine(line)
    return this.#spread(this.#reorderer.takeReady())
  }

  /** Returns the requests that were waiting. */
  end(): readonly ReplayRequest[] {
    return [...this.#spread(this.#reorderer.takeAll()), ...this.#spreader.end()]
  }

  get tally(): LogTally {
    return {
      lines: this.#lines,
      requests: this.#requests,
      badLines: this.#badLines,
      badExamples: this.#badExamples,
      outOfOrder: this.#reorderer.outOfOrder,
      tooLate: this.#reorderer.tooLate,
      furthestBackMs: this.#reorderer.furthestBackMs,
      convertedTimes: this.#units.converted,
      from: this.#requests === 0 ? null : this.#from,
      to: this.#requests === 0 ? null : this.#to,
    }
  }

  #readLine(line: Line): void {
    this.#lines++
    if (line.text === '') return
    const logged = parseLine(line.text, this.#units)
    if (logged.kind === 'bad') return this.#setAside(line, logged.reason)
    if (logged.at >= TIME_END) return this.#setAside(line, `a time from ${YEAR_END} on`)
    const id = keyOf(logged, this.#key)
    if (id === null) return this.#setAside(line, `no ${this.#key.field} that could be a key`)
    const { at, cost, isWholeSecond } = logged
    this.#requests++
    this.#from = Math.min(this.#from, at)
    this.#to = Math.max(this.#to, at)
    this.#reorderer.push({ at, id, cost, isWholeSecond })
  }

  #setAside({ number, text }: Line, reason: string): void {
    this.#badLines++
    if (this.#badExamples.length < BAD_EXAMPLES_MAX) {
      this.#badExamples.push({ line: number, reason, text: (text ?? '').slice(0, BAD_TEXT_MAX) })
    }
  }

  #spread(ordered: readonly Ordered[]): readonly ReplayRequest[] {
    return ordered.flatMap(({ at, id, cost, isWholeSecond }) => this.#spreader.push({ at, id, cost }, isWholeSecond))
  }
}

/** A request before its second is spread. */
interface Ordered extends ReplayRequest {
  readonly isWholeSecond: boolean
}

function parseLine(text: string | null, units: TimeUnits): Logged {
  if (text === null) return bad(`longer than ${LINE_BYTES_MAX} bytes`)
  return text.trimStart().startsWith('{') ? parseJsonLine(text, units) : parseAccessLine(text)
}
