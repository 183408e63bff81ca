import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Budget, open } from '../../index.ts'
import type { Store } from '../../core/store.ts'
import type { StorePlace } from '../stores/store-place.ts'

/** The budget of all agents. */
export const AGENTS_KEY = 'demo-agents'
/** What it has, in credits. */
export const CREDITS = 600
/** What each agent reserves: the most that its work may take. */
export const ASKED = 500
/** The reservation of an agent ends by itself after this long. */
export const AGENT_TTL_MS = 3_000
/** Credits for each part of a stream, and the time between two parts: the whole reserve lasts 2 s. */
const PART = 5
const PART_EVERY_MS = 20

/** What an agent says, one JSON document a line: it is its log. */
export type AgentLine =
  | { readonly at: 'ready' }
  | { readonly at: 'answered'; readonly runs: boolean }
  | { readonly at: 'metered'; readonly credits: number }

/** One agent: says that it is ready, waits for a line of its input, reserves, and streams until its reserve is used up or it is killed. */
export function runAgent(place: StorePlace, name: string): Promise<void> {
  return place.withStore({}, (store) => reserveAndStream(store, name))
}

async function reserveAndStream(store: Store, name: string): Promise<void> {
  const vsa = open({ store, label: `vsa demo, ${name}`, onEvent: () => undefined })
  await vsa.ready()
  const called = once(process.stdin, 'data')
  // Exit with the parent process.
  process.stdin.once('end', () => process.exit(1)).resume()
  say({ at: 'ready' })
  await called
  await stream(vsa.budget(AGENTS_KEY, { initial: CREDITS }), name)
  await vsa.close()
  process.stdin.destroy()
}

async function stream(budget: Budget, name: string): Promise<void> {
  const reservation = await budget.reserve(ASKED, { id: name, ttlMs: AGENT_TTL_MS, onExpire: 'capture' })
  say({ at: 'answered', runs: reservation !== null })
  if (reservation === null) return
  for (let credits = PART; reservation.meter(PART) && credits < ASKED; credits += PART) {
    say({ at: 'metered', credits })
    await sleep(PART_EVERY_MS)
  }
  await reservation.settle()
}

function say(line: AgentLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
