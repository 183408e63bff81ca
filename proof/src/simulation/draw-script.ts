import { Dice } from './dice.ts'
import { drawSetting } from './draw-setting.ts'
import type { Action, Deed, RefundKind, Script, Setting } from './script.ts'

/** Wrong on purpose; `misuse` deeds name them by index. */
export const MISUSES: readonly unknown[] = [2 ** 53, NaN, -1, 0.5, '3', null, Infinity, -Infinity, {}]

/** How much of each deed a run has; each is there or not, so that runs differ in kind. */
type Mixture = readonly (readonly [weight: number, draw: (dice: Dice, setting: Setting) => Deed])[]

/** The script of one seed: what the processes are asked for and what befalls them, in order of time. */
export function drawScript(seed: number): Script {
  const dice = new Dice(seed, 'script')
  const setting = drawSetting(seed, dice)
  const mixture = drawMixture(dice)
  const troubles = drawTroubles(dice)
  const actions: Action[] = []
  const count = dice.whole(30, 260)
  let atMs = setting.places > 4 ? 0 : dice.whole(0, 300)
  let gapMaxMs = 20
  for (let number = 0; number < count; number += 1) {
    // Bursts, ordinary traffic, idleness.
    if (dice.chance(0.05)) gapMaxMs = dice.pick([0, 4, 20, 60])
    atMs += dice.chance(0.01) ? dice.whole(200, 4_000) : dice.random() * gapMaxMs
    const place = dice.whole(0, setting.places - 1)
    const source = dice.chance(0.06) ? troubles : mixture
    const deed = drawFrom(dice, source, setting)
    if (deed !== undefined) actions.push({ atMs: Math.round(atMs * 10) / 10, place, ...deed })
  }
  return { seed, setting, actions }
}

function drawFrom(dice: Dice, mixture: Mixture, setting: Setting): Deed | undefined {
  let point = dice.random() * mixture.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, draw] of mixture) {
    point -= weight
    if (point < 0) return draw(dice, setting)
  }
  return undefined
}

function drawMixture(dice: Dice): Mixture {
  const some = (weight: number): number => (dice.chance(0.75) ? weight : 0)
  return [
    [some(30), ask],
    [some(30), tryMany],
    [some(4), askAll],
    [some(4), (dice, setting) => ({ kind: 'churn', budget: budget(dice, setting), times: dice.whole(1, 200) })],
    [some(10), refund],
    [some(4), mint],
    [some(6), (dice, setting) => ({ kind: 'add', counter: counter(dice, setting), units: addend(dice) })],
    [some(2), (dice, setting) => ({ kind: 'count', counter: counter(dice, setting) })],
    [some(3), (dice) => ({ kind: 'flush', returnLeases: dice.chance(0.5) })],
    [some(2), (dice, setting) => ({ kind: 'peek', budget: budget(dice, setting) })],
    [
      some(2),
      (dice, setting) => ({ kind: 'misuse', budget: budget(dice, setting), how: dice.whole(0, MISUSES.length - 1) }),
    ],
    // Never nothing at all.
    [1, ask],
  ]
}

function drawTroubles(dice: Dice): Mixture {
  const some = (weight: number): number => (dice.chance(0.45) ? weight : 0)
  return [
    [some(3), (dice) => ({ kind: 'close', deadlineMs: dice.pick([300, 5_000]), twice: dice.chance(0.3) })],
    [some(5), (dice) => ({ kind: 'crash', restartAfterMs: dice.pick([0, 30, 1_000]) })],
    [some(3), () => ({ kind: 'replace' })],
    [some(4), stand],
    [some(4), jump],
    [some(2), (dice) => ({ kind: 'outage', forMs: dice.whole(1, 3_000), how: dice.pick(['refused', 'silent']) })],
  ]
}

function ask(dice: Dice, setting: Setting): Deed {
  return {
    kind: 'ask',
    budget: budget(dice, setting),
    units: cost(dice),
    durable: dice.chance(0.7) ? null : dice.chance(0.5),
    deadlineMs: dice.chance(0.8) ? null : dice.whole(1, 400),
    abortAfterMs: dice.chance(0.93) ? null : dice.whole(0, 200),
    times: dice.chance(0.85) ? 1 : dice.whole(2, 12),
  }
}

function tryMany(dice: Dice, setting: Setting): Deed {
  return {
    kind: 'try',
    budget: budget(dice, setting),
    units: dice.chance(0.8) ? 1 : cost(dice),
    times: dice.whole(1, 20),
  }
}

function askAll(dice: Dice, setting: Setting): Deed {
  const budgets = setting.budgets.map((_, index) => index).filter(() => dice.chance(0.5))
  return { kind: 'all', budgets, units: cost(dice) }
}

function refund(dice: Dice, setting: Setting): Deed {
  const which: RefundKind = dice.pick(['own', 'own', 'own', 'own', 'other', 'other', 'twice', 'unknown', 'odd'])
  return { kind: 'refund', budget: budget(dice, setting), units: cost(dice), which }
}

function mint(dice: Dice, setting: Setting): Deed {
  const units = dice.chance(0.04) ? Number.MAX_SAFE_INTEGER : dice.whole(1, 20)
  return { kind: 'mint', budget: budget(dice, setting), units, id: `mint-${dice.whole(1, 12)}` }
}

function stand(dice: Dice, setting: Setting): Deed {
  const forMs = dice.chance(0.6) ? dice.whole(1, 300) : setting.leaseTtlMs + dice.whole(-50, 600)
  return { kind: 'stand', how: dice.pick(['stopped', 'suspended']), forMs, wakesWith: dice.whole(0, 8) }
}

function jump(dice: Dice): Deed {
  const byMs = dice.pick([50, 2_000, 3_600_000, 86_400_000]) * (dice.chance(0.5) ? 1 : -1)
  return { kind: 'jump', who: dice.pick(['store', 'owner']), byMs }
}

function budget(dice: Dice, setting: Setting): number {
  // Some budgets are hotter than others.
  return Math.min(dice.whole(0, setting.budgets.length - 1), dice.whole(0, setting.budgets.length - 1))
}

function counter(dice: Dice, setting: Setting): number {
  return dice.whole(0, setting.counters.length - 1)
}

function addend(dice: Dice): number {
  return dice.chance(0.02) ? Number.MAX_SAFE_INTEGER - 5 : dice.whole(-5, 9)
}

function cost(dice: Dice): number {
  const point = dice.random()
  if (point < 0.55) return 1
  if (point < 0.85) return dice.whole(2, 5)
  if (point < 0.96) return dice.whole(6, 60)
  return dice.pick([0, 0, 100_000, Number.MAX_SAFE_INTEGER])
}
