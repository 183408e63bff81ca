import type { Deferred } from '../runtime/deferred.ts'

/** What waits for the store's answer about the row: a change of its policy (P1), a reset (P5), or whether it was deleted (P6). */
export type RowCall = PolicyCall | ResetCall | HearCall

interface PolicyCall {
  readonly kind: 'policy'
  /** Beats every process that runs. The policy itself is that of the row's gate when it is sent. */
  readonly version: number
  readonly reply: Deferred<void>
}

/** Asks for nothing. */
interface HearCall {
  readonly kind: 'hear'
  readonly reply: Deferred<void>
}

interface ResetCall {
  readonly kind: 'reset'
  readonly reply: Deferred<void>
}
