/** The longest line that is read, in bytes. */
export const LINE_BYTES_MAX = 65_536

const NEWLINE = 0x0a
const DECODER = new TextDecoder() // replaces invalid UTF-8, and drops a byte order mark

/** One line without its end; `text` is null when it was longer than {@link LINE_BYTES_MAX}. */
export interface Line {
  /** 1 for the first. */
  readonly number: number
  readonly text: string | null
}

/** Splits a stream of bytes into lines. Keeps at most {@link LINE_BYTES_MAX} bytes, however long a line is. */
export class LineSplitter {
  #number = 0
  #kept: Uint8Array[] = []
  #keptBytes = 0
  #isTooLong = false

  /** Returns the lines that end in `bytes`. */
  push(bytes: Uint8Array): readonly Line[] {
    const lines: Line[] = []
    let from = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      this.#keep(bytes.subarray(from, end))
      lines.push(this.#take())
      from = end + 1
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from))
    return lines
  }

  /** Returns the last line when it has no end. */
  end(): readonly Line[] {
    return this.#keptBytes > 0 || this.#isTooLong ? [this.#take()] : []
  }

  #keep(bytes: Uint8Array): void {
    this.#keptBytes += bytes.length
    if (this.#keptBytes > LINE_BYTES_MAX) {
      this.#isTooLong = true
      this.#kept = []
    }
    if (!this.#isTooLong && bytes.length > 0) this.#kept.push(bytes)
  }

  #take(): Line {
    const [only, ...others] = this.#kept
    const bytes = only === undefined || others.length > 0 ? Buffer.concat(this.#kept) : only
    const text = this.#isTooLong ? null : DECODER.decode(bytes).replace(/\r$/, '')
    this.#kept = []
    this.#keptBytes = 0
    this.#isTooLong = false
    return { number: ++this.#number, text }
  }
}
