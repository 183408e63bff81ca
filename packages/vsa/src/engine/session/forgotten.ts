import type { Answer, Batch } from '../../core/exchange.ts'
import { OWNERS_KEPT_MS } from '../../core/maintain.ts'

export const ANOTHER_INCARNATION = 'the store goes on in another incarnation: it may have lost its last writes'

/**
 * What an answer shows that the store has lost, as a text; null when nothing is.
 * @param heardAt store time of the last answer: an epoch that ended more than 7 days ago is forgotten as a matter of course (S2)
 */
export function whatWasForgotten({ epoch, seq }: Batch, answer: Answer, heardAt: number): string | null {
  switch (answer.kind) {
    case 'stale':
    case 'lost':
      return `batch ${seq} was answered ${answer.kind}`
    case 'fenced':
      if (!answer.forgot || answer.time - heardAt > OWNERS_KEPT_MS) return null
      if (answer.last !== null)
        return `epoch ${epoch} is of another incarnation: the store may have lost its last writes`
      return `epoch ${epoch} is not known, or is another owner's: the store was restored from a backup, or replaced`
    case 'applied':
    case 'replayed':
    case 'breach':
      return null
  }
}
