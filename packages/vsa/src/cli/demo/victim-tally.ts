import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/**
 * A count that survives SIGKILL: each write is one system call into the page cache, which outlives the process. A write for each
 * admission would be too slow, so the victim writes before each block how many units it has admitted, and how many it will have admitted
 * at most when the block ends. Killed inside a block, its count lies in that bracket; killed between blocks, it is exactly `atLeast`.
 */
export interface Bracket {
  /** Units that were certainly admitted. */
  readonly atLeast: number
  /** Units that may have been admitted at most. */
  readonly atMost: number
}

const BYTES = 16

/** Writes the tally of the victim. */
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

/** The last tally that the victim wrote; zeros before its first. */
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
