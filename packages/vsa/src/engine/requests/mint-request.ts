import { VsaError } from '../../core/errors.ts'
import type { Mint, MintOutcome } from '../../core/exchange.ts'
import type { Account } from '../rows/row-lease.ts'
import type { Deferred } from '../runtime/deferred.ts'

/** A mint that waits for the store. */
export interface MintRequest {
  readonly mint: Mint
  readonly reply: Deferred<boolean>
}

/** Tells whoever asked. */
export function settleMint(account: Account, request: MintRequest, outcome: MintOutcome): void {
  const { key } = account.gate
  const { units, id } = request.mint
  switch (outcome) {
    case 'minted':
      return request.reply.resolve(true)
    case 'repeated':
      return request.reply.resolve(false)
    case 'id_conflict': {
      const message = `id ${JSON.stringify(id)} was minted for ${JSON.stringify(key)} before, with other units than ${units}; use another id`
      return request.reply.reject(new VsaError('id_conflict', message, { statusCode: 409 }))
    }
    case 'units_overflow': {
      const message = `minting ${units} would take ${JSON.stringify(key)} beyond 2^53 - 1 units`
      return request.reply.reject(new VsaError('units_overflow', message, { statusCode: 422 }))
    }
  }
}
