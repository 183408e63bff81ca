import type { Mint, MintOutcome } from '../../core/exchange.ts'
import { idConflictError, unitsOverflowError } from '../api/errors.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** A mint that waits for the store. */
export interface MintRequest {
  readonly mint: Mint
  readonly reply: Deferred<boolean>
}

/** @param key the budget of the mint */
export function settleMint(key: string, { mint, reply }: MintRequest, outcome: MintOutcome): void {
  switch (outcome) {
    case 'minted':
      return reply.resolve(true)
    case 'repeated':
      return reply.resolve(false)
    case 'id_conflict':
      return reply.reject(idConflictError(key, mint.units, mint.id))
    case 'units_overflow':
      return reply.reject(unitsOverflowError(key, mint.units))
  }
}
