/** One thing that a part has checked. */
export interface Check {
  readonly name: string
  /** What is wrong; null when it passed. */
  readonly failure: string | null
}

export interface PartResult {
  readonly checks: readonly Check[]
  /** What was not checked, with the reason. */
  readonly skipped: readonly string[]
  /** The result of the part, in one line. */
  readonly summary: string
}

/** A part of the proof. */
export interface Part {
  readonly name: string
  /** On two quiet cores; for the progress bar only. */
  readonly expectedSeconds: number
  /** Throws when it cannot check anything. */
  run(signal: AbortSignal): Promise<PartResult>
}

export function check(name: string, holds: boolean, failure: string): Check {
  return { name, failure: holds ? null : failure }
}
