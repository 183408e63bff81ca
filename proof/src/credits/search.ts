import type { Bug } from './bugs.ts'
import { brokenLaw } from './laws.ts'
import { CreditSteps } from './steps.ts'
import type { CreditBounds, CreditState } from './world.ts'

export interface CreditSearch {
  readonly states: number
  readonly transitions: number
  readonly depth: number
  /** Every reachable state was seen. */
  readonly exhausted: boolean
  readonly found: { readonly law: string; readonly what: string; readonly trace: readonly string[] } | null
}

interface Seen {
  readonly from: Seen | null
  readonly what: string
}

/** Breadth first through every interleaving within the bounds, to the first law that breaks. */
export function searchCredits(bounds: CreditBounds, bug: Bug | null, statesMax: number): CreditSearch {
  const steps = new CreditSteps(bounds, bug)
  const first = steps.first()
  const seen = new Set<string>([steps.keyOf(first)])
  let level: readonly (readonly [way: Seen | null, state: CreditState])[] = [[null, first]]
  let transitions = 0
  let depth = 0
  for (; level.length > 0; depth += 1) {
    const next: [Seen | null, CreditState][] = []
    for (const [from, state] of level) {
      for (const { what, run } of steps.next(state)) {
        transitions += 1
        const { state: to, fault: wrong } = run()
        const key = steps.keyOf(to)
        if (wrong === null && seen.has(key)) continue
        const way = { from, what }
        const fault = wrong ?? brokenLaw(to, bounds)
        if (fault !== null) {
          const found = { law: fault[0], what: fault[1], trace: traceOf(way) }
          return { states: seen.size, transitions, depth: depth + 1, exhausted: false, found }
        }
        seen.add(key)
        next.push([way, to])
      }
      if (seen.size >= statesMax) return { states: seen.size, transitions, depth, exhausted: false, found: null }
    }
    level = next
  }
  return { states: seen.size, transitions, depth, exhausted: true, found: null }
}

function traceOf(way: Seen): readonly string[] {
  const trace: string[] = []
  for (let at: Seen | null = way; at !== null; at = at.from) trace.unshift(at.what)
  return trace
}
