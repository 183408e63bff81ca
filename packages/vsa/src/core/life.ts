import type { StoreLife } from './adapter.ts'
import type { Writes } from './written-rows.ts'

/* Which writes a store still has (stores.md section 5): a store that forgot some of them goes on under another incarnation. */

/** The incarnation of a store that never forgets what it acknowledged. */
export const ONE_INCARNATION = 'one'

/** The store in one transaction. */
export interface Life {
  /** Under which owners join, and under which their batches apply (F1). */
  readonly incarnation: string
  /** Acknowledged writes may be forgotten. */
  readonly mayForget: boolean
  /** F3: no lease grows and no take is granted before this store time, ms since 1970; 0: not frozen. */
  readonly frozenUntil: number
}

/** Of a store that never forgets. */
export const ONE_LIFE: Life = { incarnation: ONE_INCARNATION, mayForget: false, frozenUntil: 0 }

/**
 * F3, F10: a store that sees itself in another incarnation than it has kept is frozen for one lease lifetime from now, also where it was frozen
 * already. One that has kept none is new.
 * @param time store time of the transaction, ms since 1970
 */
export function lifeAt(life: StoreLife | undefined, time: number, leaseTtlMs: number): Life {
  if (life === undefined) return ONE_LIFE
  const { incarnation, mayForget } = life
  const frozenUntil = hasForgotten(life) ? time + leaseTtlMs : life.frozenUntil
  return { incarnation, mayForget, frozenUntil: frozenUntil > time ? frozenUntil : 0 }
}

/** The first transaction of an incarnation that is saved records it, and how long it is frozen. */
export function withLife(writes: Writes, kept: StoreLife | undefined, { incarnation, frozenUntil }: Life): Writes {
  if (kept === undefined || kept.keptIncarnation === incarnation) return writes
  return { ...writes, life: { incarnation, frozenUntil } }
}

function hasForgotten({ incarnation, keptIncarnation }: StoreLife): boolean {
  return keptIncarnation !== null && keptIncarnation !== incarnation
}
