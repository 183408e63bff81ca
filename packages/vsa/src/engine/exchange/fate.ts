import type { Batch, FencedAnswer, Outcome } from '../../core/exchange.ts'

/** What became of the batch that was in flight when its epoch ended: it counted, it surely did not, or it is not known. */
export type Fate =
  | { readonly kind: 'applied'; readonly outcome: Outcome }
  /** `wasForgotten`: the store has lost writes, and may have applied it before. */
  | { readonly kind: 'not_applied'; readonly wasForgotten: boolean }
  | { readonly kind: 'unknown' }

/** @param answer null when the store has lost the epoch */
export function fateOf(batch: Batch, answer: FencedAnswer | null): Fate {
  if (answer === null || answer.last === null) return { kind: 'unknown' }
  const { last, forgot } = answer
  return last.seq === batch.seq
    ? { kind: 'applied', outcome: last.outcome }
    : { kind: 'not_applied', wasForgotten: forgot }
}

/**
 * O5: whether its refunds go out again under the next epoch. Where it is not known whether they counted, they could be given back twice. F5: also where the
 * store forgot them, because others who saw them restate so much less.
 */
export function mayRefundAgain(fate: Fate): boolean {
  return fate.kind === 'not_applied' && !fate.wasForgotten
}
