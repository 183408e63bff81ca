import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/**
 * One line of a call log. A child logs a call before it makes it, and the answer before it does anything else. So after a
 * kill the log has every call that can have reached the store, and no answer that was not received.
 *
 * - `requested` units are about to be asked for
 * - `admitted` in this period · `denied`, or certainly not applied · `unknown`: the call failed and may have been applied
 * - `refunding` units are about to be refunded to this period · `refused`: the store refused so many of them for good
 * - `minting` an id is about to be minted · `minted`: it was; units 1 for the first time, 0 for a repeat
 * - `adding` to a counter · `flushing`: a flush begins · `flushed`: it has resolved
 * - `reserved`, `unreserved`: a reservation by its id was told to be there, or not · `settled` so many units · `admitted-once` by its id ·
 *   `given-back` by its id; where `period` is 1, as a repeat
 * - `event`: an event, or the code of an error · `closed`: close has resolved
 */
export type RecordKind =
  | 'requested'
  | 'admitted'
  | 'denied'
  | 'unknown'
  | 'refunding'
  | 'refused'
  | 'minting'
  | 'minted'
  | 'adding'
  | 'reserved'
  | 'unreserved'
  | 'settled'
  | 'admitted-once'
  | 'given-back'
  | 'flushing'
  | 'flushed'
  | 'event'
  | 'closed'

export interface CallRecord {
  readonly kind: RecordKind
  /** The key of a budget or counter, or the code of an event. */
  readonly name: string
  readonly units: number
  /** 0 where there are no periods. */
  readonly period: number
  /** The id of a mint. */
  readonly id: string
}

export class CallLogWriter {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  write(kind: RecordKind, name = '-', units = 0, period = 0, id = '-'): void {
    writeSync(this.#file, `${kind} ${name} ${units} ${period} ${id}\n`)
  }
}

/** Reads a log, also while it is being written. A line truncated by a kill is ignored: its call was not made, or its answer was not received. */
export class CallLogReader {
  readonly #path: string
  #offset = 0
  #rest = ''

  constructor(path: string) {
    this.#path = path
  }

  /** The complete lines since the last call. */
  read(): CallRecord[] {
    const lines = (this.#rest + this.#more()).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map(parse)
  }

  #more(): string {
    const file = openSync(this.#path, 'r')
    try {
      const chunk = Buffer.alloc(1 << 20)
      let text = ''
      for (;;) {
        const length = readSync(file, chunk, 0, chunk.length, this.#offset)
        if (length === 0) return text
        this.#offset += length
        // A log is ASCII.
        text += chunk.toString('latin1', 0, length)
      }
    } finally {
      closeSync(file)
    }
  }
}

function parse(line: string): CallRecord {
  const [kind = '', name = '', units = '', period = '', id = ''] = line.split(' ')
  // Written by the same build.
  return { kind: kind as RecordKind, name, units: Number(units), period: Number(period), id }
}
