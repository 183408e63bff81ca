import { Rng } from './rng.ts'
import { drawCredits } from './draw-credits.ts'
import { drawDeletions } from './draw-deletions.ts'
import { drawResets } from './draw-resets.ts'
import { drawSettings } from './draw-settings.ts'
import { drawWideScript } from './draw-wide.ts'
import type { Action, Operation, RefundKind, Script, Setting } from './script.ts'

/** Invalid costs; `misuse` operations name them by index. */
export const MISUSES: readonly unknown[] = [2 ** 53, NaN, -1, 0.5, '3', null, Infinity, -Infinity, {}, 3n]

/** One script in this many has very many rows. */
const WIDE_EVERY = 100
const WIDE_AT = 50

/** The weight of each operation in a run. Each is omitted from some runs, so that runs differ. */
type Mixture = readonly (readonly [weight: number, draw: (rng: Rng, setting: Setting) => Operation])[]

/** The script of one seed: requests and faults, in order of time. */
export function drawScript(seed: number): Script {
  const rng = new Rng(seed, 'script')
  if (seed % WIDE_EVERY === WIDE_AT) return drawWideScript(seed, rng, WIDE_EVERY)
  const setting = drawSettings(seed, rng)
  const mixture = drawMixture(rng)
  const troubles = drawTroubles(rng)
  const actions: Action[] = []
  const count = rng.whole(30, setting.store === 'memory' ? 260 : 120)
  let atMs = setting.places > 4 ? 0 : rng.whole(0, 300)
  let gapMaxMs = 20
  for (let number = 0; number < count; number += 1) {
    // Bursts, ordinary traffic, idleness.
    if (rng.chance(0.05)) gapMaxMs = rng.pick([0, 4, 20, 60])
    atMs += rng.chance(0.01) ? rng.whole(200, 4_000) : rng.random() * gapMaxMs
    const place = rng.whole(0, setting.places - 1)
    const source = rng.chance(0.06) ? troubles : mixture
    const operation = drawFrom(rng, source, setting)
    if (operation !== undefined) actions.push({ atMs: Math.round(atMs * 10) / 10, place, ...operation })
  }
  const apart = [drawCredits, drawResets, drawDeletions].flatMap((draw) => draw(seed, setting, atMs))
  return { seed, setting, actions: [...actions, ...apart].toSorted((one, other) => one.atMs - other.atMs) }
}

function drawFrom(rng: Rng, mixture: Mixture, setting: Setting): Operation | undefined {
  let point = rng.random() * mixture.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, draw] of mixture) {
    point -= weight
    if (point < 0) return draw(rng, setting)
  }
  return undefined
}

function drawMixture(rng: Rng): Mixture {
  const some = (weight: number): number => (rng.chance(0.75) ? weight : 0)
  return [
    [some(30), ask],
    [some(30), tryMany],
    [some(4), askAll],
    [some(4), (rng, setting) => ({ kind: 'churn', budget: budget(rng, setting), times: rng.whole(1, 200) })],
    [some(10), refund],
    [some(4), mint],
    [some(6), (rng, setting) => ({ kind: 'add', counter: counter(rng, setting), units: addend(rng) })],
    [some(2), (rng, setting) => ({ kind: 'count', counter: counter(rng, setting) })],
    [some(3), (rng) => ({ kind: 'flush', returnLeases: rng.chance(0.5) })],
    [some(2), (rng, setting) => ({ kind: 'peek', budget: budget(rng, setting) })],
    [
      some(2),
      (rng, setting) => ({ kind: 'misuse', budget: budget(rng, setting), how: rng.whole(0, MISUSES.length - 1) }),
    ],
    // At least one kind of operation.
    [1, ask],
  ]
}

function drawTroubles(rng: Rng): Mixture {
  const some = (weight: number): number => (rng.chance(0.45) ? weight : 0)
  return [
    [some(3), (rng) => ({ kind: 'close', deadlineMs: rng.pick([300, 5_000]), twice: rng.chance(0.3) })],
    [some(5), (rng) => ({ kind: 'crash', restartAfterMs: rng.pick([0, 30, 1_000]) })],
    [some(3), () => ({ kind: 'replace' })],
    [some(4), stand],
    [some(4), jump],
    [some(1), (rng) => ({ kind: 'leap', forMs: rng.pick([1, 40, 400]) })],
    [
      some(2),
      (rng, setting) => ({ kind: 'lock', forMs: rng.chance(0.3) ? rng.whole(1, 300) : 2 * setting.leaseTtlMs }),
    ],
    [some(2), (rng) => ({ kind: 'outage', forMs: rng.whole(1, 3_000), how: rng.pick(['refused', 'silent']) })],
  ]
}

function ask(rng: Rng, setting: Setting): Operation {
  return {
    kind: 'ask',
    budget: budget(rng, setting),
    units: cost(rng),
    durable: rng.chance(0.7) ? null : rng.chance(0.5),
    deadlineMs: rng.chance(0.8) ? null : rng.whole(1, 400),
    abortAfterMs: rng.chance(0.93) ? null : rng.whole(0, 200),
    times: rng.chance(0.85) ? 1 : rng.whole(2, 12),
  }
}

function tryMany(rng: Rng, setting: Setting): Operation {
  return {
    kind: 'try',
    budget: budget(rng, setting),
    units: rng.chance(0.8) ? 1 : cost(rng),
    times: rng.whole(1, 20),
  }
}

function askAll(rng: Rng, setting: Setting): Operation {
  const budgets = setting.budgets.map((_, index) => index).filter(() => rng.chance(0.5))
  return { kind: 'all', budgets, units: cost(rng) }
}

function refund(rng: Rng, setting: Setting): Operation {
  const which: RefundKind = rng.chance(setting.onStoreUnavailable === 'allow' ? 0.4 : 0.75)
    ? rng.pick(['own', 'own', 'own', 'own', 'other', 'other', 'twice', 'unknown', 'odd'])
    : rng.pick(['denied', 'unaccounted', 'foreign', 'together'])
  return { kind: 'refund', budget: budget(rng, setting), units: cost(rng), which }
}

function mint(rng: Rng, setting: Setting): Operation {
  const units = rng.chance(0.04) ? Number.MAX_SAFE_INTEGER : rng.whole(1, 20)
  return { kind: 'mint', budget: budget(rng, setting), units, id: `mint-${rng.whole(1, 12)}` }
}

function stand(rng: Rng, setting: Setting): Operation {
  const forMs = rng.chance(0.6) ? rng.whole(1, 300) : setting.leaseTtlMs + rng.whole(-50, 600)
  return { kind: 'stand', how: rng.pick(['stopped', 'suspended']), forMs, wakesWith: rng.whole(0, 8) }
}

function jump(rng: Rng): Operation {
  const byMs = rng.pick([50, 2_000, 3_600_000, 86_400_000]) * (rng.chance(0.5) ? 1 : -1)
  return { kind: 'jump', who: rng.pick(['store', 'owner']), byMs }
}

function budget(rng: Rng, setting: Setting): number {
  // Some budgets are hotter than others.
  return Math.min(rng.whole(0, setting.budgets.length - 1), rng.whole(0, setting.budgets.length - 1))
}

function counter(rng: Rng, setting: Setting): number {
  return rng.whole(0, setting.counters.length - 1)
}

function addend(rng: Rng): number {
  return rng.chance(0.02) ? Number.MAX_SAFE_INTEGER - 5 : rng.whole(-5, 9)
}

function cost(rng: Rng): number {
  const point = rng.random()
  if (point < 0.55) return 1
  if (point < 0.85) return rng.whole(2, 5)
  if (point < 0.96) return rng.whole(6, 60)
  return rng.pick([0, 0, 100_000, Number.MAX_SAFE_INTEGER])
}
