import { parseAccessLine } from './access-line.ts'
import { parseJsonLine } from './json-line.ts'
import { type KeyField, keyOf } from './key-field.ts'
import { LINE_BYTES_MAX, type Line } from './line-splitter.ts'
import { type Logged, bad } from './logged.ts'
import { SecondSpreader } from './second-spreader.ts'

/** One request to be replayed. */
export interface ReplayRequest {
  /** The log's time, ms since 1970; never before that of the request before it. */
  readonly at: number
  readonly id: string
  readonly cost: number
}

/** What the log was like. */
export interface LogTally {
  readonly lines: number
  readonly requests: number
  readonly badLines: number
  /** The first few of them. */
  readonly badExamples: readonly BadLine[]
  /** Requests that were logged behind a later one: they are replayed at the later one's time. */
  readonly outOfOrder: number
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

/** Makes requests of lines, in an order of time that never goes back. */
export class RequestReader {
  readonly #key: KeyField
  readonly #spreader = new SecondSpreader()
  readonly #badExamples: BadLine[] = []
  #lines = 0
  #requests = 0
  #badLines = 0
  #outOfOrder = 0
  #furthestBackMs = 0
  #from: number | null = null
  #to: number | null = null

  constructor(key: KeyField) {
    this.#key = key
  }

  /** The requests that are ready with these lines; the last second may still be waiting for more. */
  read(lines: readonly Line[]): readonly ReplayRequest[] {
    return lines.flatMap((line) => this.#readLine(line))
  }

  /** The requests that were waiting. */
  end(): readonly ReplayRequest[] {
    return this.#spreader.end()
  }

  get tally(): LogTally {
    return {
      lines: this.#lines,
      requests: this.#requests,
      badLines: this.#badLines,
      badExamples: this.#badExamples,
      outOfOrder: this.#outOfOrder,
      furthestBackMs: this.#furthestBackMs,
      from: this.#from,
      to: this.#to,
    }
  }

  #readLine(line: Line): readonly ReplayRequest[] {
    this.#lines++
    if (line.text === '') return []
    const logged = parseLine(line.text)
    if (logged.kind === 'bad') return this.#setAside(line, logged.reason)
    const id = keyOf(logged, this.#key)
    if (id === null) return this.#setAside(line, `no ${this.#key.field} that could be a key`)
    this.#requests++
    return this.#spreader.push({ at: this.#inOrder(logged.at), id, cost: logged.cost }, logged.isWholeSecond)
  }

  #setAside({ number, text }: Line, reason: string): readonly [] {
    this.#badLines++
    if (this.#badExamples.length < BAD_EXAMPLES_MAX) {
      this.#badExamples.push({ line: number, reason, text: (text ?? '').slice(0, BAD_TEXT_MAX) })
    }
    return []
  }

  #inOrder(at: number): number {
    const latest = this.#to ?? at
    if (at < latest) {
      this.#outOfOrder++
      this.#furthestBackMs = Math.max(this.#furthestBackMs, latest - at)
    }
    this.#from ??= at
    this.#to = Math.max(at, latest)
    return this.#to
  }
}

function parseLine(text: string | null): Logged {
  if (text === null) return bad(`longer than ${LINE_BYTES_MAX} bytes`)
  return text.trimStart().startsWith('{') ? parseJsonLine(text) : parseAccessLine(text)
}
