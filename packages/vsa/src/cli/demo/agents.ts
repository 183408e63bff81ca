import { setTimeout as sleep } from 'node:timers/promises'
import { type Budget, open, type Settled } from '../../index.ts'
import { CommandError, type Report } from '../report.ts'
import { shownReservations } from '../reservation-table.ts'
import { inspecting } from '../store-reader.ts'
import { readTotals, type StoreTotals } from '../store-totals.ts'
import type { StorePlace } from '../stores/store-place.ts'
import { verify } from '../verify.ts'
import { AGENT_TTL_MS, AGENTS_KEY, ASKED, CREDITS } from './agent.ts'
import { AgentProcess } from './agent-process.ts'

/** Five agents and one budget, a kill, an expiry, and a settlement by the id. */
export interface AgentsStory {
  readonly agents: readonly { readonly name: string; readonly runs: boolean }[]
  /** The agent that ran, and was killed. It is also the id of its reservation. */
  readonly killed: string
  /** Credits that it had metered, by its log. */
  readonly metered: number
  readonly atDeath: StoreTotals
  /** Another request for as much, while the reservation of the dead agent was open. */
  readonly isNextAdmitted: boolean
  /** From the kill until the store had ended the reservation. */
  readonly expiredAfterMs: number
  readonly expired: StoreTotals
  /** By another process, which had the id alone. */
  readonly settled: Settled
  readonly again: Settled
  readonly atEnd: StoreTotals
  readonly verified: Report
  readonly isTrue: boolean
}

const AGENTS = 5
const STARTS_WITHIN_MS = 20_000
/** The agent is killed when it has metered so much. */
const KILLED_AT = 200
const EXPIRES_WITHIN_MS = 10 * AGENT_TTL_MS
const LOOK_EVERY_MS = 50

/** Starts the agents with the command line at `cliPath`, and lets one of them die. `show` is told what comes next. */
export async function agentsStory(
  cliPath: string,
  place: StorePlace,
  show: (text: string) => void,
): Promise<AgentsStory> {
  show('five agents ask at the same time')
  const agents = Array.from({ length: AGENTS }, (_, at) => new AgentProcess(cliPath, place, `agent-${at + 1}`))
  try {
    await Promise.all(agents.map((agent) => agent.ready(STARTS_WITHIN_MS)))
    for (const agent of agents) agent.call()
    await Promise.all(agents.map((agent) => agent.answered(STARTS_WITHIN_MS)))
    const running = agents.find(({ runs }) => runs === true)
    if (running === undefined) throw new CommandError('agent_failed', 'no agent was admitted')
    show(`${running.name} streams, and is killed`)
    await running.hasMetered(KILLED_AT, STARTS_WITHIN_MS)
    if (!(await running.kill())) throw new CommandError('agent_failed', `${running.name} ended by itself`)
    show('its reservation ends by itself')
    const answers = agents.map(({ name, runs }) => ({ name, runs: runs === true }))
    const after = await afterDeath(place, running)
    const verified = await verify(place.address)
    return { agents: answers, ...after, verified, isTrue: verified.ok && isAsTold(answers, after) }
  } finally {
    await Promise.all(agents.map((agent) => agent.kill()))
  }
}

type AfterDeath = Omit<AgentsStory, 'agents' | 'verified' | 'isTrue'>

/** What another process sees and does. */
function afterDeath(place: StorePlace, { name: killed, metered }: AgentProcess): Promise<AfterDeath> {
  return place.withStore({}, async (store) => {
    const diedAt = performance.now()
    const atDeath = await totals(place)
    const vsa = open({ store, label: 'vsa demo, another process', onEvent: () => undefined })
    try {
      const budget = vsa.budget(AGENTS_KEY, { initial: CREDITS })
      const isNextAdmitted = await budget.admit(ASKED)
      await expiry(place, killed)
      const expiredAfterMs = performance.now() - diedAt
      const expired = await totals(place)
      const [settled, again] = await settleTwice(budget, killed, metered)
      await vsa.close()
      const atEnd = await totals(place)
      return { killed, metered, atDeath, isNextAdmitted, expiredAfterMs, expired, settled, again, atEnd }
    } finally {
      await vsa.close()
    }
  })
}

/** Waits until the store has ended the reservation: upkeep of any process does it. */
async function expiry(place: StorePlace, id: string): Promise<void> {
  for (const waitsUntil = performance.now() + EXPIRES_WITHIN_MS; ; await sleep(LOOK_EVERY_MS)) {
    if ((await stateOf(place, id)) === 'expired') return
    if (performance.now() > waitsUntil)
      throw new CommandError('agent_failed', `the reservation of ${id} did not end within ${EXPIRES_WITHIN_MS} ms`)
  }
}

function stateOf(place: StorePlace, id: string): Promise<string | undefined> {
  return inspecting(place, async (inspection) => {
    for await (const { rows } of inspection.reservationPages(AGENTS_KEY)) {
      const found = rows.flatMap((row) => shownReservations(row, AGENTS_KEY)).find((one) => one.id === id)
      if (found !== undefined) return found.state
    }
    return undefined
  })
}

/** R4: the first settlement counts, and every later one is told its outcome. */
async function settleTwice(budget: Budget, id: string, credits: number): Promise<readonly [Settled, Settled]> {
  const settled = await budget.reservation(id).settle(credits)
  return [settled, await budget.reservation(id).settle(ASKED)]
}

function totals(place: StorePlace): Promise<StoreTotals> {
  return readTotals(place, (key) => key === AGENTS_KEY)
}

function isAsTold(agents: AgentsStory['agents'], story: AfterDeath): boolean {
  const { metered, atDeath, isNextAdmitted, expired, settled, again, atEnd } = story
  return (
    agents.filter(({ runs }) => runs).length === 1 &&
    !isNextAdmitted &&
    [atDeath, expired].every(
      ({ reserved, used, pool }) => reserved === ASKED && used === 0 && pool === CREDITS - ASKED,
    ) &&
    settled.settled === metered &&
    !settled.repeated &&
    again.settled === metered &&
    again.repeated &&
    atEnd.used === metered &&
    atEnd.reserved === 0 &&
    atEnd.pool === CREDITS - metered
  )
}
