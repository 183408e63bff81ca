import type { EntryEffect } from './apply-entry.ts'
import { isUnits } from './units.ts'

/**
 * S3, holds: moves `held` towards `hold`, from or to the pool; then marks the row as wanted where the entry asks for it.
 * S5: no lease grows while the row is wanted, or once as many units have burned as the policy allows.
 */
export function moveHold(effect: EntryEffect, time: number): void {
  if (effect.kind !== 'budget') return
  const { draft, entry } = effect
  draft.require(isUnits(entry.hold), `hold is ${entry.hold}`)
  if (entry.wantMs > 0) draft.wantedUntil = Math.max(draft.wantedUntil, time + entry.wantMs)
  const mayGrow = draft.wantedUntil <= time && draft.burned < draft.burnMax
  const wished = entry.hold - draft.held
  const change = wished > 0 ? (mayGrow ? Math.min(wished, Math.max(draft.pool, 0)) : 0) : wished
  draft.held += change
  draft.pool -= change
  if (draft.wantedUntil <= time) draft.wantedUntil = 0
}
