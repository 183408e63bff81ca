import type { Deferred } from '../runtime/deferred.ts'

/** A change of the row's policy (P1), or a reset of it (P5), that waits for the store. */
export type RowCall = PolicyCall | ResetCall

interface PolicyCall {
  readonly kind: 'policy'
  /** Beats every process that runs. The policy itself is that of the row's gate when it is sent. */
  readonly version: number
  readonly reply: Deferred<void>
}

interface ResetCall {
  readonly kind: 'reset'
  readonly reply: Deferred<void>
}
