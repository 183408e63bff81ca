import type { ForgettingProduction } from './model-production.ts'
import { ModelSteps } from './model-steps.ts'
import type { ModelBounds, ModelState } from './model-world.ts'

export interface ForgettingSearch {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** Every reachable state was seen. */
  readonly exhausted: boolean
  /** The shortest way to more admissions than there are units; null where there is none. */
  readonly trace: readonly string[] | null
}

interface Seen {
  readonly from: string | null
  readonly what: string
}

/** Breadth first through every interleaving within the bounds: L1 on a store that forgets, under its promise. */
export function searchForgetting(
  production: ForgettingProduction,
  bounds: ModelBounds,
  statesMax: number,
): ForgettingSearch {
  const steps = new ModelSteps(production, bounds)
  const first = steps.first()
  const seen = new Map<string, Seen>([[steps.keyOf(first), { from: null, what: 'A joins' }]])
  let level: readonly (readonly [key: string, state: ModelState])[] = [[steps.keyOf(first), first]]
  let transitions = 0
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: [string, ModelState][] = []
    for (const [from, state] of level) {
      for (const [what, to] of steps.next(state)) {
        transitions += 1
        const key = steps.keyOf(to)
        if (seen.has(key)) continue
        seen.set(key, { from, what })
        if (to.admitted > bounds.limit)
          return { states: seen.size, transitions, depth: depth + 1, exhausted: false, trace: traceTo(seen, key) }
        next.push([key, to])
      }
      if (seen.size >= statesMax) return { states: seen.size, transitions, depth, exhausted: false, trace: null }
    }
    level = next
    if (level.length === 0) return { states: seen.size, transitions, depth, exhausted: true, trace: null }
  }
  return { states: seen.size, transitions, depth: 0, exhausted: true, trace: null }
}

function traceTo(seen: ReadonlyMap<string, Seen>, key: string): readonly string[] {
  const trace: string[] = []
  for (let at = seen.get(key); at !== undefined; at = at.from === null ? undefined : seen.get(at.from))
    trace.unshift(at.what)
  return trace
}
