import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * A count that survives SIGKILL. Each `write` is one system call into the page cache, which outlives the process. One call for each
 * admission would measure the calls; so the victim says, before each block, what it has admitted so far and how many more the block
 * may admit at most. Killed inside a block, it has admitted something in that bracket; killed between blocks, exactly `atLeast`.
 */
export interface Bracket {
  /** Units that were surely admitted. */
  readonly atLeast: number
  /** Units that may have been admitted at most. */
  readonly atMost: number
}

const BYTES = 16

/** The victim's pen. */
export class VictimTally {
  readonly #file: number
  readonly #buffer = Buffer.alloc(BYTES)

  constructor(path: string) {
    this.#file = openSync(path, 'w')
    this.write({ atLeast: 0, atMost: 0 })
  }

  write({ atLeast, atMost }: Bracket): void {
    this.#buffer.writeBigUInt64LE(BigInt(atLeast), 0)
    this.#buffer.writeBigUInt64LE(BigInt(atMost), 8)
    writeSync(this.#file, this.#buffer, 0, BYTES, 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** What the victim has written last; nothing at all before it came to write. */
export function readVictimTally(path: string): Bracket {
  const bytes = readOrNone(path)
  if (bytes.length < BYTES) return { atLeast: 0, atMost: 0 }
  return { atLeast: Number(bytes.readBigUInt64LE(0)), atMost: Number(bytes.readBigUInt64LE(8)) }
}

function readOrNone(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}
