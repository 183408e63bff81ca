import type { RowPolicy } from '../../../packages/vsa/dist/core/exchange.js'
import type { Plan } from '../../../packages/vsa/dist/core/plan.js'
import type { Conversation } from '../../../packages/vsa/dist/engine/conversation.js'
import { must } from '../simulation/violation.ts'
import type { Bounds, RowBounds } from './bounds.ts'
import { type Counted, LiveOwner, newMint } from './live-owner.ts'
import type { Production } from './production.ts'
import type { Cargo, Message, Owner, World } from './world.ts'

/** All owners declare the same policy: which version holds does not matter here. */
const VERSION = 1

/** What an owner may put into its next batch. */
export interface Order {
  readonly rows: readonly { readonly row: number; readonly hold: number; readonly wants: boolean }[]
  readonly close: boolean
}

/** What owners and their callers do between two answers of the store. */
export class OwnerMoves {
  readonly #production: Production
  readonly #bounds: Bounds
  readonly #plans: readonly Plan[]
  readonly #policies: readonly RowPolicy[]
  readonly #keys: readonly string[]

  constructor(production: Production, bounds: Bounds) {
    this.#production = production
    this.#bounds = bounds
    this.#plans = bounds.rows.map((row) => planOf(production, row))
    this.#policies = this.#plans.map((plan) => plan.rowPolicy(plan.windowAt(0), VERSION))
    this.#keys = bounds.rows.map(({ key }) => key)
  }

  /** A process that has just started. */
  get fresh(): Owner {
    const nothing = { held: 0, base: 0, left: 0, sent: null, refund: 0, known: false, dirty: false, mint: null }
    return {
      conversation: this.#production.NOT_JOINED,
      closing: false,
      accounts: this.#bounds.rows.map(() => ({ ...nothing, unsent: 0, owed: 0 })),
      requests: [],
      cargo: null,
    }
  }

  live(owner: Owner): LiveOwner {
    return new LiveOwner(this.#production, this.#plans, this.#keys, owner)
  }

  /** The hot path, or the desk. */
  admit(world: World, at: number, row: number, units: number): World {
    const owner = ownerAt(world, at)
    const live = this.live(owner)
    if (live.gates[row]?.tryAdmit(units) !== true) return world
    const counted = owner.accounts.map((was, index) => (index === row ? { ...was, unsent: was.unsent + units } : was))
    return admitted(withOwner(world, at, frozen(owner, live, counted)), row, units)
  }

  /** O4 */
  refund(world: World, at: number, row: number, units: number): World {
    const owner = ownerAt(world, at)
    const live = this.live(owner)
    live.gates[row]?.refund(units)
    const lowered = Math.min(units, owner.accounts[row]?.unsent ?? 0)
    const counted = owner.accounts.map((was, index) =>
      index === row ? { unsent: was.unsent - lowered, owed: was.owed + units - lowered } : was,
    )
    return admitted(withOwner(world, at, frozen(owner, live, counted)), row, -lowered)
  }

  /** A durable request (O9). What it spends from the lease counts at once, though it is told later. */
  ask(world: World, at: number, needs: readonly number[]): World {
    const owner = ownerAt(world, at)
    const live = this.live(owner)
    const { waiter } = live.ask(needs)
    const row = live.accounts.findIndex((account) => account.confirming.includes(waiter))
    const units = needs[row] ?? 0
    const counted = owner.accounts.map((was, index) => (index === row ? { ...was, unsent: was.unsent + units } : was))
    const next = withOwner(world, at, frozen(owner, live, counted))
    return row < 0 ? next : admitted(next, row, units)
  }

  /** A caller's deadline passes (O10). */
  giveUp(world: World, at: number, index: number): World {
    const owner = ownerAt(world, at)
    const live = this.live(owner)
    const request = live.requests[index]
    if (request !== undefined) live.waiters.tell(request.waiter, { kind: 'failed', error: null })
    return withOwner(world, at, frozen(owner, live, owner.accounts))
  }

  mint(world: World, at: number, units: number): World {
    const owner = ownerAt(world, at)
    const live = this.live(owner)
    live.mints[0] = newMint(units)
    return withOwner(world, at, frozen(owner, live, owner.accounts))
  }

  /** O13: no gate admits any more. */
  close(world: World, at: number): World {
    return withOwner(world, at, { ...ownerAt(world, at), closing: true })
  }

  /** What is lost with the process: its memory, and whatever was on its way to it. */
  crash(world: World, at: number): World {
    const network = world.network.filter((message) => message.kind === 'request' || message.to !== at)
    return { ...withOwner(world, at, this.fresh), network }
  }

  /** Makes a batch as the composer does, but with any order, and puts it on its way. Checks that it carries what callers were told. */
  send(world: World, at: number, order: Order): World {
    const owner = ownerAt(world, at)
    const live = this.live(owner)
    const loading = new this.#production.Loading(1_000)
    live.waiters.unpark(() => true)
    live.waiters.drain((waiter) => {
      const accounts = waiter.needs.flatMap(({ gate }) => live.accounts[live.gates.indexOf(gate)] ?? [])
      for (const account of accounts) account.takers += 1
      return loading.addWaiter(waiter, accounts)
    })
    for (const { row } of order.rows) {
      const account = live.accounts[row]
      if (account !== undefined) loading.addAccount(account)
    }
    const takes = loading.takes()
    const accounts = loading.rows.flatMap((row) => live.accounts.find((account) => account === row) ?? [])
    const rows = accounts.map((account) => live.accounts.indexOf(account))
    const entries = accounts.map((account, index) => {
      const row = rows[index] ?? 0
      const { hold = 0, wants = false } = order.rows.find((one) => one.row === row) ?? {}
      const policy = account.known ? undefined : this.#policies[row]
      return this.#production.entryOf(account, { hold, wantMs: wants ? this.#bounds.tickMs : 0, policy }, 0)
    })
    loading.clearPlaces()
    for (const run of loading.runs) live.waiters.send(run.waiters)
    live.shipment = { rows: [...accounts], runs: loading.runs, flushes: [] }
    const counted: Counted[] = owner.accounts.map(({ unsent, owed }) => ({ unsent, owed }))
    let next = world
    for (const [index, entry] of entries.entries()) {
      const row = rows[index] ?? 0
      const { unsent, owed } = counted[row] ?? { unsent: 0, owed: 0 }
      const netted = unsent - entry.spent
      must(
        netted >= 0 && netted <= owed && entry.refund === owed - netted,
        'L3',
        () => `callers spent ${unsent} units of ${entry.key} and gave ${owed} back, and the batch says ${entry.spent} and ${entry.refund}`,
      )
      counted[row] = { unsent: 0, owed: 0 }
      next = admitted(next, row, -netted)
    }
    const turn = this.#production.converse(owner.conversation, {
      kind: 'send',
      content: { entries, takes, close: order.close },
    })
    if (turn.action !== 'attempt') throw new Error(`a batch was sent, and the session says ${turn.action}`)
    const { kept, ...memory } = live.freeze(counted)
    const cargo: Cargo = {
      rows,
      runs: loading.runs.map((run) =>
        run.waiters.map((waiter) => kept.findIndex((request) => request.waiter === waiter)),
      ),
    }
    const sent = { ...owner, ...memory, conversation: turn.next, cargo }
    return onItsWay(withOwner(next, at, sent), { kind: 'request', batch: turn.batch })
  }

  /** O2: an attempt failed, and the next one follows. */
  resend(world: World, at: number): World {
    const owner = ownerAt(world, at)
    const { next } = this.#production.converse(owner.conversation, { kind: 'failed' })
    const turn = this.#production.converse(next, { kind: 'retry' })
    if (turn.action !== 'attempt') throw new Error(`an attempt failed, and the session says ${turn.action}`)
    return onItsWay(withConversation(world, at, turn.next), { kind: 'request', batch: turn.batch })
  }
}

function planOf(production: Production, { units, atRisk, burnMax, endsAt }: RowBounds): Plan {
  if (endsAt === null) return production.compilePolicy({ initial: units, atRisk, burnMax })
  return production.compilePolicy({ limit: units, per: endsAt, atRisk, burnMax })
}

export function ownerAt({ owners }: World, at: number): Owner {
  const owner = owners[at]
  if (owner === undefined) throw new Error(`no owner ${at}`)
  return owner
}

export function withOwner(world: World, at: number, owner: Owner): World {
  return { ...world, owners: world.owners.map((was, index) => (index === at ? owner : was)) }
}

function withConversation(world: World, at: number, conversation: Conversation): World {
  return withOwner(world, at, { ...ownerAt(world, at), conversation })
}

export function onItsWay(world: World, message: Message): World {
  return { ...world, network: [...world.network, message] }
}

/** A(t) moves. */
function admitted(world: World, row: number, units: number): World {
  if (units === 0) return world
  const counts = world.counts.map((was, at) => (at === row ? { ...was, admitted: was.admitted + units } : was))
  return { ...world, counts }
}

/** The owner after a step that left its conversation and what is under way alone. */
function frozen(owner: Owner, live: LiveOwner, counted: readonly Counted[]): Owner {
  const before = owner.requests.length
  const { kept, accounts, requests } = live.freeze(counted)
  if (owner.cargo === null || requests.length === before) return { ...owner, accounts, requests }
  // Requests may have left the line: those under way are found again by who they are.
  const { rows, runs } = owner.cargo
  const moved = runs.map((run) => run.map((index) => kept.findIndex((one) => one === live.requests[index])))
  return { ...owner, accounts, requests, cargo: { rows, runs: moved } }
}
