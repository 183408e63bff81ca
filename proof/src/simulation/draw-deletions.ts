import { Rng } from './rng.ts'
import type { Action, Setting } from './script.ts'

/** The share of runs with deletions: the others keep their budgets, for everything that takes a while to come about. */
const DELETIONS = 0.25

/** P6: deletions for a script, in order of time. A stream of its own, so that a seed draws everything else as before. */
export function drawDeletions(seed: number, setting: Setting, endMs: number): readonly Action[] {
  const rng = new Rng(seed, 'deletions')
  const usable = setting.budgets.flatMap(({ key }, index) => (key === setting.corrupt ? [] : index))
  if (usable.length === 0 || !rng.chance(DELETIONS)) return []
  return Array.from({ length: rng.whole(1, 5) }, (): Action => {
    const place = rng.whole(0, setting.places - 1)
    return { atMs: Math.round(rng.random() * endMs * 10) / 10, place, kind: 'delete', budget: rng.pickAny(usable) ?? 0 }
  })
}
