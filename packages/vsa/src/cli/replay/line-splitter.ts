/** The longest line that is looked at, in bytes. */
export const LINE_BYTES_MAX = 65_536

const NEWLINE = 0x0a
const DECODER = new TextDecoder() // replaces what is no UTF-8, and drops a byte order mark

/** One line without its end; `text` is null when it was longer than {@link LINE_BYTES_MAX}. */
export interface Line {
  /** 1 for the first. */
  readonly number: number
  readonly text: string | null
}

/** Cuts bytes into lines as they come. Never keeps more than one line's worth, however long a line is. */
export class LineSplitter {
  #number = 0
  #kept: Uint8Array[] = []
  #keptBytes = 0
  #isTooLong = false

  /** The lines that end in `bytes`. */
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

  /** The last line, if it did not end. */
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
