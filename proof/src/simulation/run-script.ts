import { calmDown } from './calm.ts'
import type { Library } from './library.ts'
import type { Scenario } from './reached.ts'
import type { Script } from './script.ts'
import { Violation } from './violation.ts'
import type { Fault } from './wire.ts'
import { World } from './world.ts'

/** What came of one run. Plain data. */
export interface RunResult {
  readonly seed: number
  /** Null when every law held. */
  readonly violation: { readonly law: string; readonly what: string } | null
  readonly operations: number
  readonly exchanges: number
  readonly records: number
  readonly events: number
  readonly simulatedMs: number
  readonly faults: Readonly<Record<Fault | 'crash' | 'standstill' | 'clockJump' | 'callDuringOutage', number>>
  readonly reached: Readonly<Partial<Record<Scenario, number>>>
  /** What happened, line by line; empty unless it was asked for. */
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
    await calmDown(world)
  } catch (error) {
    world.fail(error)
  } finally {
    process.off('unhandledRejection', stray)
    await world.end()
  }
  return resultOf(world)
}

function resultOf(world: World): RunResult {
  const { script, violation, context, audit, timeline, network } = world
  return {
    seed: script.seed,
    violation: violation === null ? null : describe(violation),
    operations: context.operations,
    exchanges: audit.exchanges,
    records: audit.records,
    events: timeline.events,
    simulatedMs: timeline.nowMs,
    faults: {
      ...network.faults,
      crash: world.crashes,
      standstill: world.standstills,
      clockJump: world.jumps,
      callDuringOutage: network.refusedByOutage,
    },
    reached: Object.fromEntries(world.reached.counts),
    trace: world.trace,
  }
}

function describe(violation: unknown): { law: string; what: string } {
  if (violation instanceof Violation) return { law: violation.law, what: violation.message }
  const text = violation instanceof Error ? (violation.stack ?? violation.message) : String(violation)
  return { law: 'bug', what: text }
}
