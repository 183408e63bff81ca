import { Violation } from '../simulation/violation.ts'
import type { Bounds } from './bounds.ts'
import { codeOf } from './code.ts'
import { Graph } from './graph.ts'
import { checkDrained, checkLaws, isDrained, isSpent } from './laws.ts'
import { Seen } from './seen.ts'
import type { Steps } from './steps.ts'
import type { World } from './world.ts'

export interface Searched {
  readonly states: number
  readonly transitions: number
  /** Steps from the first state to the farthest one. */
  readonly depth: number
  /** Every state within the bounds was visited. */
  readonly exhausted: boolean
  readonly drained: number
  readonly found: Found | null
}

/** A law that broke, with its shortest counterexample. */
export interface Found {
  readonly law: string
  readonly what: string
  readonly trace: readonly string[]
}

export interface SearchLimits {
  readonly statesMax: number
  /** Called from time to time, to report progress. */
  readonly progress: (states: number, open: number) => void
}

interface Open {
  readonly number: number
  readonly depth: number
  readonly world: World
}

/** Breadth first, so the first violation has a shortest trace. */
export function search(bounds: Bounds, steps: Steps, { statesMax, progress }: SearchLimits): Searched {
  const seen = new Seen()
  const graph = new Graph()
  const drained: number[] = []
  const spent: number[] = []
  let level: Open[] = [{ number: 0, depth: 0, world: steps.first }]
  let transitions = 0
  let depth = 0
  seen.numberOf(codeOf(bounds, steps.first))
  graph.addState(0, 0)
  drained.push(0)
  const result = (exhausted: boolean, found: Found | null): Searched => ({
    ...{ states: seen.size, transitions, depth, exhausted, drained: drained.length, found },
  })
  while (level.length > 0) {
    const next: Open[] = []
    for (const { number, world } of level) {
      for (const [index, step] of steps.from(world).entries()) {
        transitions += 1
        let after: World
        try {
          after = step.take()
          checkLaws(bounds, after)
          if (isDrained(after)) checkDrained(bounds, after)
        } catch (error) {
          return result(false, foundBy(error, traceOf(steps, [...graph.pathTo(number), index])))
        }
        const known = seen.size
        const to = seen.numberOf(codeOf(bounds, after))
        if (step.cause !== 'fault' && to !== number) graph.addWay(number, to, step.cause)
        if (to < known) continue
        graph.addState(number, index)
        if (isDrained(after)) drained.push(to)
        if (isSpent(after)) spent.push(to)
        next.push({ number: to, depth: depth + 1, world: after })
      }
      if (number % 10_000 === 0) progress(seen.size, next.length)
      if (seen.size >= statesMax) return result(false, null)
    }
    level = next
    depth += level.length > 0 ? 1 : 0
  }
  const undrained = graph.firstStranded(drained, false)
  if (undrained !== null) {
    const trace = traceOf(steps, graph.pathTo(undrained))
    return result(true, { law: 'L5', what: 'L5: from this state the work in flight can never finish', trace })
  }
  const unspent = bounds.isSpendable ? graph.firstStranded(spent, true) : null
  if (unspent !== null) {
    const trace = traceOf(steps, graph.pathTo(unspent))
    return result(true, { law: 'L5', what: 'L5: from this state some minted units can never be admitted', trace })
  }
  return result(true, null)
}

/** The steps in words. */
function traceOf(steps: Steps, path: readonly number[]): readonly string[] {
  const words: string[] = []
  let world = steps.first
  for (const number of path) {
    const step = steps.from(world)[number]
    if (step === undefined) throw new Error(`no step ${number} in this state`)
    words.push(step.say())
    try {
      world = step.take()
    } catch {
      return words
    }
  }
  return words
}

function foundBy(error: unknown, trace: readonly string[]): Found {
  if (error instanceof Violation) return { law: error.law, what: error.message, trace }
  if (error instanceof Error) return { law: 'assertion', what: `${error.name}: ${error.message}`, trace }
  throw error
}
