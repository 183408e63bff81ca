import type { Mint } from '../core/exchange.ts'
import type { Deferred } from './deferred.ts'

/** A mint that waits for the store. */
export interface MintRequest {
  readonly mint: Mint
  readonly reply: Deferred<boolean>
}
