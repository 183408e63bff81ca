import { Rng } from '../simulation/rng.ts'
import type { AskOp, CreditOp } from './books.ts'
import type { Bug } from './bugs.ts'
import { brokenLaw } from './laws.ts'
import type { CreditSearch } from './search.ts'
import { CreditSteps } from './steps.ts'
import type { CreditBounds } from './world.ts'

/* The same steps and laws with larger numbers: one way through many random worlds. */

const STEPS_MAX = 120
const KEYS = ['plan', 'extra', 'more'] as const
const OVER = 'over'

interface CreditWalks {
  /** Of one walk at most. */
  readonly steps: number
  readonly transitions: number
  readonly found: CreditSearch['found']
}

/** Walks seed after seed until a law breaks. */
export function walkCredits(seed: number, walks: number, bug: Bug | null): CreditWalks {
  let transitions = 0
  for (let at = seed; at < seed + walks; at += 1) {
    const rng = new Rng(at, 'credits')
    const bounds = drawBounds(rng)
    const steps = new CreditSteps(bounds, bug)
    let state = steps.first()
    const trace: string[] = []
    for (let count = 0; count < STEPS_MAX; count += 1) {
      const step = rng.pickAny([...steps.next(state)])
      if (step === undefined) break
      const { state: to, fault: wrong } = step.run()
      transitions += 1
      trace.push(step.what)
      const fault = wrong ?? brokenLaw(to, bounds)
      if (fault !== null) {
        const found = { law: fault[0], what: `seed ${at}: ${fault[1]}`, trace }
        return { steps: STEPS_MAX, transitions, found }
      }
      state = to
    }
  }
  return { steps: STEPS_MAX, transitions, found: null }
}

/** Three ids of two budgets or three and an overage counter, with repeats and conflicting requests. */
function drawBounds(rng: Rng): CreditBounds {
  const units = (): number => rng.whole(1, 9)
  const pools = Object.fromEntries(KEYS.map((key) => [key, rng.whole(0, 12)]))
  const asks = ['a', 'b', 'c'].flatMap((id) => drawAsks(rng, id))
  const plain: [CreditOp, number][] = [
    [{ kind: 'take', keys: drawKeys(rng), units: units() }, 3],
    [{ kind: 'mint', key: rng.pick(KEYS), id: 'm', units: 5 }, 2],
  ]
  if (rng.chance(0.3)) plain.push([{ kind: 'give back', key: rng.pick(KEYS), units: units() }, 1])
  const hasReset = rng.chance(0.3)
  return {
    ...{ what: 'random', pools, counters: [OVER], asks: [...asks, ...plain] },
    transactions: ['a', 'b', 'c', 'm'].map((id) => {
      return { key: rng.pick(KEYS), id, op: id === 'm' ? 'mint' : 'settle', units: id === 'm' ? 5 : rng.whole(0, 12) }
    }),
    ...(hasReset ? { reset: rng.pick(KEYS) } : { lease: { key: rng.pick(KEYS), units: units() } }),
    ...{ isLossy: true, timeMax: 12, joins: rng.whole(0, 6) },
  }
}

function drawAsks(rng: Rng, id: string): readonly [CreditOp, number][] {
  const keys = drawKeys(rng)
  const isFirst = rng.chance(0.7)
  const ask: AskOp = {
    ...{ kind: rng.pick(['admit', 'reserve']), id, form: isFirst ? 'first' : 'all', keys },
    units: isFirst ? [rng.whole(1, 9)] : keys.map(() => rng.whole(0, 5)),
    ...{ ttl: rng.whole(1, 4), onExpire: rng.pick(['return', 'capture']) },
  }
  const [key = 'plan'] = keys
  const asks: [CreditOp, number][] = [
    [ask, 3],
    [{ kind: 'settle', key, id, units: rng.whole(0, 12) }, 1],
    [{ kind: 'settle', key: keys.at(-1) ?? key, id, units: rng.whole(0, 12) }, 1],
    [{ kind: 'extend', key, id, units: rng.whole(1, 12), ttl: rng.whole(1, 4) }, 2],
    [{ kind: 'refund', key, id, units: rng.whole(0, 9) }, 2],
    [{ kind: 'refund', key: keys.at(-1) ?? key, id, units: rng.whole(0, 9) }, 1],
  ]
  if (rng.chance(0.3)) asks.push([{ ...ask, keys: keys.toReversed(), units: ask.units.toReversed() }, 1])
  return asks
}

function drawKeys(rng: Rng): readonly string[] {
  const keys = [...KEYS].sort(() => rng.random() - 0.5).slice(0, rng.whole(1, 3))
  return rng.chance(0.4) ? [...keys, OVER] : keys
}
