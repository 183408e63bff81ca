import { parseAccessLine } from './access-line.ts'
import { parseJsonLine } from './json-line.ts'
import { type KeyField, keyOf } from './key-field.ts'
import { LINE_BYTES_MAX, type Line } from './line-splitter.ts'
import { type Logged, bad } from './logged.ts'
import { Reorderer } from './reorderer.ts'
import type { ReplayRequest } from './replay-request.ts'
import { SecondSpreader } from './second-spreader.ts'

/** What the log was like. */
export interface LogTally {
  readonly lines: number
  readonly requests: number
  readonly badLines: number
  /** The first few of them. */
  readonly badExamples: readonly BadLine[]
  /** Requests that were logged behind a later one. They were put in their place. */
  readonly outOfOrder: number
  /** All but these, which came too far behind: they were replayed at the time that the replay had reached, for time never goes back. */
  readonly tooLate: number
  readonly furthestBackMs: number
  /** Times of the first and the last request, ms since 1970; null without any. */
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

/** Makes requests of lines, in the order of their times. */
export class RequestReader {
  readonly #key: KeyField
  readonly #reorderer = new Reorderer<Ordered>()
  readonly #spreader = new SecondSpreader()
  readonly #badExamples: BadLine[] = []
  #lines = 0
  #requests = 0
  #badLines = 0
  #from = Number.POSITIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY

  constructor(key: KeyField) {
    this.#key = key
  }

  /** The requests that are ready with these lines; the last minutes of the log wait for stragglers. */
  read(lines: readonly Line[]): readonly ReplayRequest[] {
    for (const line of lines) this.#readLine(line)
    return this.#spread(this.#reorderer.takeReady())
  }

  /** The requests that were waiting. */
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
      from: this.#requests === 0 ? null : this.#from,
      to: this.#requests === 0 ? null : this.#to,
    }
  }

  #readLine(line: Line): void {
    this.#lines++
    if (line.text === '') return
    const logged = parseLine(line.text)
    if (logged.kind === 'bad') return this.#setAside(line, logged.reason)
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

/** What is known of a request while it may have to change places. */
interface Ordered extends ReplayRequest {
  readonly isWholeSecond: boolean
}

function parseLine(text: string | null): Logged {
  if (text === null) return bad(`longer than ${LINE_BYTES_MAX} bytes`)
  return text.trimStart().startsWith('{') ? parseJsonLine(text) : parseAccessLine(text)
}
