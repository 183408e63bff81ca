import { Rng } from './rng.ts'
import type { Action, Setting } from './script.ts'

/** The share of runs with resets. */
const RESETS = 0.3

/** P5: resets for a script, in order of time. A stream of its own, so that a seed draws everything else as before. */
export function drawResets(seed: number, setting: Setting, endMs: number): readonly Action[] {
  const rng = new Rng(seed, 'resets')
  const usable = setting.budgets.flatMap(({ key }, index) => (key === setting.corrupt ? [] : index))
  if (usable.length === 0 || !rng.chance(RESETS)) return []
  return Array.from({ length: rng.whole(1, 6) }, (): Action => {
    const place = rng.whole(0, setting.places - 1)
    return { atMs: Math.round(rng.random() * endMs * 10) / 10, place, kind: 'reset', budget: rng.pickAny(usable) ?? 0 }
  })
}
