import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/**
 * What a line of a tally says. An intent is written before its call, and what was told right after, in the file before anything else happens:
 * what a kill leaves behind is never less than the intents, and never more than what was told.
 *
 * `I` units are asked for · `A` they were admitted, in this period · `D` denied, or surely not applied · `U` nobody knows ·
 * `R` units are about to be given back to that period · `X` the store refused so many of them for good ·
 * `M` an id is about to be minted · `m` it was, 1 for the first time, 0 once more ·
 * `N` a counter is about to be added to · `B` a flush begins · `F` it has resolved · `E` an event or the code of an error · `C` closed
 */
export type Mark = 'I' | 'A' | 'D' | 'U' | 'R' | 'X' | 'M' | 'm' | 'N' | 'B' | 'F' | 'E' | 'C'

export interface Line {
  readonly mark: Mark
  /** A budget's or counter's key, or the code of an event. */
  readonly name: string
  readonly units: number
  /** 0 where there are no periods. */
  readonly period: number
  /** Of a mint. */
  readonly id: string
}

/** The writing end. */
export class TallyWriter {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  note(mark: Mark, name = '-', units = 0, period = 0, id = '-'): void {
    writeSync(this.#file, `${mark} ${name} ${units} ${period} ${id}\n`)
  }
}

/** The reading end, also while the file is written. A line that a kill cut short is half a fact: it counts for nothing, as its call was not told. */
export class TallyReader {
  readonly #path: string
  #offset = 0
  #rest = ''

  constructor(path: string) {
    this.#path = path
  }

  /** The whole lines that came since the last call. */
  read(): Line[] {
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
        // Everything in a tally is ASCII.
        text += chunk.toString('latin1', 0, length)
      }
    } finally {
      closeSync(file)
    }
  }
}

function parse(line: string): Line {
  const [mark = '', name = '', units = '', period = '', id = ''] = line.split(' ')
  return { mark: mark as Mark, name, units: Number(units), period: Number(period), id }
}
