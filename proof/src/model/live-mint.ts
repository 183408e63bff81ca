import type { MintRequest } from '../../../packages/vsa/dist/engine/requests/mint-request.js'
import { MINT_ID } from './store.ts'
import type { LeaseState } from './world.ts'

/** A mint that waits, and its outcome in this step. */
export interface LiveMint {
  readonly request: MintRequest
  verdict: boolean | 'refused' | null
}

export function liveMint({ mint }: LeaseState): LiveMint | null {
  return mint === null ? null : newMint(mint.units)
}

/** Here the answer to a mint is not a promise. */
export function newMint(units: number): LiveMint {
  const live: LiveMint = {
    verdict: null,
    request: {
      mint: { units, id: MINT_ID },
      reply: {
        get settled() {
          return live.verdict !== null
        },
        resolve: (made: boolean) => (live.verdict = made),
        reject: () => (live.verdict = 'refused'),
      } as unknown as MintRequest['reply'],
    },
  }
  return live
}
