import { afterEach, expect } from 'vitest'
import { type OpenOptions, open, type Budget, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { type FaultyStore, faultyStore, type ManualClock, manualClock } from '../../src/testing/index.ts'
import type { Answer, Framework, Handler, LimitedApp, OptionsOf } from './limited-app.ts'

/** 2025-01-01T00:00:30Z: half of a minute is left. */
const START_MS = 1_735_689_630_000

export interface Fixture {
  readonly clock: ManualClock
  readonly vsa: Vsa
  readonly net: FaultyStore
  /** Paths that reached the handler. */
  readonly handled: string[]
  /** `/fail` answers 500, `/throw` throws, `/stream` never ends, `/meter` and `/meter-stream` meter 3 units. */
  start(framework: Framework, options: OptionsOf, handler?: Handler): Promise<LimitedApp>
  /** The balance of a budget, once everything is durable. */
  used(budget: Budget): Promise<number>
}

const running: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of running.splice(0)) await close()
})

export function fixture(options: Partial<OpenOptions> = {}): Fixture {
  const clock = manualClock({ start: START_MS })
  const net = faultyStore(memory(), { clock })
  const vsa = open({ store: net, clock, onEvent: () => undefined, ...options })
  const handled: string[] = []
  return {
    clock,
    vsa,
    net,
    handled,
    start: async (framework, optionsOf, handler = handle) => {
      const app = await framework.start(
        vsa,
        (header) => ({ clock, trustProxy: false, ...optionsOf(header) }),
        (call) => {
          handled.push(call.path)
          return handler(call)
        },
      )
      running.push(() => app.close())
      return app
    },
    used: async (budget) => {
      await vsa.flush()
      const { minted, used, reserved, remaining, burned } = await budget.peek()
      expect(minted).toBe(used + reserved + remaining + burned)
      return used
    },
  }
}

async function handle({ path, charge }: Parameters<Handler>[0]): Promise<Answer> {
  if (path === '/throw') throw new Error('of the handler')
  if (path.startsWith('/meter')) charge().meter(3)
  if (path.endsWith('stream')) return { stream: 'begun' }
  return path === '/fail' ? { status: 500, body: 'failed' } : { status: 200, body: 'hello' }
}
