import type { Subject } from './subjects.ts'

/** One run of the crew. Crash tests and chaos are the same program with different numbers. */
export interface ChaosPlan {
  readonly seed: number
  /** Children alive at once. */
  readonly processes: number
  /** The crew stops when so much time is over, or when so many children have ended in that way. */
  readonly until: Until
  /** How the children end: by `kill`, most of them by SIGKILL, some by SIGTERM; by `close`, all of them as SIGTERM asks. */
  readonly by: 'kill' | 'close'
  readonly leaseTtlMs: number
  /** How long a child lives after it has joined the store, at most. */
  readonly lifeMostMs: number
  /** How many are stopped for longer than a lease lives before they end, 0 to 1. */
  readonly stopShare: number
  /** Whether their wall clocks are wrong, and jump. */
  readonly wrongClocks: boolean
  readonly restMostMs: number
  readonly subjects: Readonly<Record<string, Subject>>
  readonly counters: Readonly<Record<string, number>>
}

export type Until =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'kills'; readonly count: number }
  | { readonly kind: 'closes'; readonly count: number }
