import { runFinalChecks } from './final-checks.ts'
import type { Library } from './library.ts'
import type { Scenario } from './scenarios.ts'
import type { Script, Setting } from './script.ts'
import type { Reported } from './violations.ts'
import type { Fault } from './wire.ts'
import { World } from './world.ts'

/** The outcome of one run. Plain data. */
export interface RunResult {
  readonly seed: number
  /** All violations of the event in which the first was seen; empty when every law held. */
  readonly violations: readonly Reported[]
  /** The store that was used. */
  readonly store: Setting['store']
  readonly operations: number
  readonly exchanges: number
  readonly records: number
  readonly events: number
  readonly simulatedMs: number
  readonly faults: Readonly<Record<Fault | 'crash' | 'standstill' | 'clockJump' | 'callDuringOutage', number>>
  readonly scenarios: Readonly<Partial<Record<Scenario, number>>>
  /** The trace, line by line; empty unless requested. */
  readonly trace: readonly string[]
}

/** Runs one script to its end, or to the first law that does not hold. */
export async function runScript(library: Library, script: Script, isTraced = false): Promise<RunResult> {
  const world = new World(library, script, isTraced)
  const stray = (error: unknown): void => world.fail(error)
  process.on('unhandledRejection', stray)
  try {
    for (let place = 0; place < script.setting.places; place += 1) world.start(place)
    for (const action of script.actions) {
      world.timeline.after(action.atMs, () => {
        world.note(() => JSON.stringify(action))
        world.act(action)
      })
    }
    await world.timeline.pass((script.actions.at(-1)?.atMs ?? 0) + 1)
    await runFinalChecks(world)
  } catch (error) {
    world.fail(error)
  } finally {
    process.off('unhandledRejection', stray)
    await world.end()
  }
  return resultOf(world)
}

function resultOf(world: World): RunResult {
  const { script, violations, context, audit, timeline, network } = world
  const { store } = script.setting
  return {
    seed: script.seed,
    violations: violations.reported(),
    store: store === 'sqlite-thread' && !world.isThreaded ? 'sqlite' : store,
    operations: context.operations,
    exchanges: audit.exchanges,
    records: audit.records,
    events: timeline.events,
    simulatedMs: timeline.nowMs,
    faults: {
      ...network.faults,
      crash: world.crashes,
      standstill: world.standstills,
      clockJump: world.storeFaults.jumps,
      callDuringOutage: network.refusedByOutage,
    },
    scenarios: Object.fromEntries(world.scenarios.counts),
    trace: world.trace,
  }
}
