import type { Batch, RowPolicy } from '../../../packages/vsa/dist/core/exchange.js'
import type { Plan } from '../../../packages/vsa/dist/core/plan.js'
import type { SessionRecord } from '../../../packages/vsa/dist/engine/session/state-machine.js'
import { must } from '../simulation/violation.ts'
import type { Bounds, RowBounds } from './bounds.ts'
import { newMint } from './live-mint.ts'
import { type Counted, LiveOwner } from './live-owner.ts'
import { Memo } from './memo.ts'
import { tokenOf } from './store.ts'
import type { Production } from './production.ts'
import type { Cargo, Owner } from './world.ts'

/** All owners declare the same policy, so its version does not matter here. */
const VERSION = 1

/** The choices for an owner's next batch. */
export interface Order {
  readonly rows: readonly { readonly row: number; readonly hold: number; readonly wants: boolean }[]
  readonly close: boolean
}

/** The result of a move: the owner, and the answers to callers. */
export interface Moved {
  readonly owner: Owner
  /** By row: the change of A(t), in units. */
  readonly admitted: readonly number[]
  /** By row: callers that were answered that their mint created the units. */
  readonly mintsTold: readonly number[]
  /** The message that is sent to the store. */
  readonly batch: Batch | null
}

/** The steps of an owner and its callers between two answers of the store. */
export class OwnerMoves {
  readonly #production: Production
  readonly #bounds: Bounds
  readonly #plans: readonly Plan[]
  readonly #policies: readonly RowPolicy[]
  readonly #keys: readonly string[]
  /** A process that has just started. */
  readonly fresh: Owner

  constructor(production: Production, bounds: Bounds) {
    this.#production = production
    this.#bounds = bounds
    this.#plans = bounds.rows.map((row) => planOf(production, row))
    this.#policies = this.#plans.map((plan) => plan.rowPolicy(plan.windowAt(0), VERSION))
    this.#keys = bounds.rows.map(({ key }) => key)
    const nothing = { held: 0, base: 0, left: 0, sent: null, refund: 0, known: false, mint: null }
    this.fresh = {
      session: production.NOT_JOINED,
      closing: false,
      leases: bounds.rows.map(() => ({ ...nothing, unsent: 0, owed: 0 })),
      requests: [],
      cargo: null,
      memo: new Memo(),
    }
  }

  live(owner: Owner): LiveOwner {
    return new LiveOwner(this.#production, this.#plans, this.#keys, owner)
  }

  /** The hot path, or the slow one. */
  admit(owner: Owner, row: number, units: number): Moved {
    const live = this.live(owner)
    if (live.gates[row]?.tryAdmit(units) !== true) return moved(owner)
    return spent(owner, live, row, units)
  }

  /** O4 */
  refund(owner: Owner, row: number, units: number): Moved {
    const live = this.live(owner)
    live.gates[row]?.refund(units)
    const lowered = Math.min(units, owner.leases[row]?.unsent ?? 0)
    const counted = owner.leases.map((was, index) =>
      index === row ? { unsent: was.unsent - lowered, owed: was.owed + units - lowered } : was,
    )
    return moved(frozen(owner, live, counted), only(owner, row, -lowered))
  }

  /** A durable request (O9). Units spent from the lease count at once, before the caller is answered. */
  ask(owner: Owner, needs: readonly number[]): Moved {
    const live = this.live(owner)
    const row = live.confirmingAt(live.ask(needs))
    return row < 0 ? moved(frozen(owner, live, owner.leases)) : spent(owner, live, row, needs[row] ?? 0)
  }

  /** A caller's deadline passes (O10). */
  giveUp(owner: Owner, index: number): Moved {
    const live = this.live(owner)
    const request = live.requests[index]
    if (request !== undefined) live.parts.waiting.resolve(request.pending, { kind: 'failed', error: null })
    return moved(frozen(owner, live, owner.leases))
  }

  mint(owner: Owner, units: number): Moved {
    const live = this.live(owner)
    live.mints[0] = newMint(units)
    return moved(frozen(owner, live, owner.leases))
  }

  /** O13: no gate admits any more. */
  close(owner: Owner): Moved {
    return moved(changed(owner, { closing: true }))
  }

  /** An epoch is open, or an earlier one was. */
  joined(owner: Owner, epoch: number): Moved {
    const { next } = this.#production.advanceSession(owner.session, {
      kind: 'joined',
      epoch,
      token: tokenOf(epoch),
      incarnation: 'one',
    })
    return moved(changed(owner, { session: next }))
  }

  /** O2: an attempt failed, and the next one follows. */
  resend(owner: Owner): Moved {
    const { next } = this.#production.advanceSession(owner.session, { kind: 'failed' })
    const turn = this.#production.advanceSession(next, { kind: 'retry' })
    if (turn.action !== 'attempt') throw new Error(`unexpected session action ${turn.action} after a failed attempt`)
    return { ...moved(inTurn(owner, turn.next)), batch: turn.batch }
  }

  /** Builds a batch as the batch planner does, but with any choice of leases. Checks that it carries what callers were answered. */
  send(owner: Owner, order: Order): Moved {
    const live = this.live(owner)
    const builder = this.#load(live, order)
    const takes = builder.takes()
    const sent = builder.rows.flatMap((row) => live.rows.find((one) => one === row) ?? [])
    const rows = sent.map((row) => live.rows.indexOf(row))
    const entries = sent.map((row, index) => {
      const at = rows[index] ?? 0
      const { hold = 0, wants = false } = order.rows.find((one) => one.row === at) ?? {}
      const policy = row.isKnown ? undefined : this.#policies[at]
      const rowOrder = { hold, wantMs: wants ? this.#bounds.tickMs : 0, policy }
      return this.#production.entryOf(row, live.parts.requests.find(row), rowOrder, 0)
    })
    for (const run of builder.runs) live.parts.waiting.send(run.requests)
    live.inFlight = { rows: [...sent], runs: builder.runs, changes: [], flushes: [] }
    const netted = owner.leases.map((lease, row) => {
      const entry = entries[rows.indexOf(row)]
      return entry === undefined ? 0 : nettedBy(lease, entry)
    })
    const counted = owner.leases.map((was, row) => (rows.includes(row) ? { unsent: 0, owed: 0 } : was))
    const content = { entries, takes, close: order.close }
    const turn = this.#production.advanceSession(owner.session, { kind: 'send', content })
    if (turn.action !== 'attempt') throw new Error(`unexpected session action ${turn.action} after a send`)
    const { kept, ...memory } = live.freeze(counted)
    const runs = builder.runs.map((run) =>
      run.requests.map((pending) => kept.findIndex((request) => request.pending === pending)),
    )
    const cargo: Cargo = { rows, runs }
    const sender = changed(owner, { ...memory, session: turn.next, cargo })
    return {
      ...moved(
        sender,
        netted.map((units) => -units),
      ),
      batch: turn.batch,
    }
  }

  #load(live: LiveOwner, order: Order): InstanceType<Production['BatchBuilder']> {
    const builder = new this.#production.BatchBuilder(1_000)
    const { waiting } = live.parts
    waiting.unpark(() => true)
    waiting.drain((request) => {
      const rows = request.needs.flatMap(({ gate }) => live.rows[live.gates.indexOf(gate)] ?? [])
      for (const row of rows) row.takers += 1
      return builder.addRequest(request, rows)
    })
    for (const { row: at } of order.rows) {
      const row = live.rows[at]
      if (row !== undefined) builder.addRow(row)
    }
    return builder
  }
}

/** L3: an entry carries the spending and refunds since the last one. Equal amounts of both may cancel out. @returns units that cancel out */
function nettedBy(
  { unsent, owed }: Counted,
  { key, spent, refund }: { readonly key: string; readonly spent: number; readonly refund: number },
): number {
  const netted = unsent - spent
  must(
    netted >= 0 && netted <= owed && refund === owed - netted,
    'L3',
    () => `callers spent ${unsent} units of ${key} and refunded ${owed}, and the batch carries ${spent} and ${refund}`,
  )
  return netted
}

function planOf(production: Production, { units, atRisk, burnMax, endsAt }: RowBounds): Plan {
  if (endsAt === null) return production.compilePolicy({ initial: units, atRisk, burnMax })
  return production.compilePolicy({ limit: units, per: endsAt, atRisk, burnMax })
}

/** A changed copy of the owner, with a new memo. */
export function changed(owner: Owner, change: Partial<Omit<Owner, 'memo'>>): Owner {
  return { ...owner, ...change, memo: new Memo() }
}

function inTurn(owner: Owner, next: SessionRecord): Owner {
  return next === owner.session ? owner : changed(owner, { session: next })
}

export function moved(owner: Owner, admitted: readonly number[] = [], mintsTold: readonly number[] = []): Moved {
  return { owner, admitted, mintsTold, batch: null }
}

/** Units spent from a lease: admitted, and not sent yet. */
function spent(owner: Owner, live: LiveOwner, row: number, units: number): Moved {
  const counted = owner.leases.map((was, index) => (index === row ? { ...was, unsent: was.unsent + units } : was))
  return moved(frozen(owner, live, counted), only(owner, row, units))
}

function only(owner: Owner, row: number, units: number): readonly number[] {
  return owner.leases.map((_lease, index) => (index === row ? units : 0))
}

/** The owner after a step that did not change its session or its batch in flight. */
function frozen(owner: Owner, live: LiveOwner, counted: readonly Counted[]): Owner {
  const { kept, leases, requests } = live.freeze(counted)
  if (owner.cargo === null) return changed(owner, { leases, requests })
  // Requests may have left the queue, so those in flight are matched by identity.
  const { rows, runs } = owner.cargo
  const found = runs.map((run) => run.map((index) => kept.findIndex((one) => one === live.requests[index])))
  return changed(owner, { leases, requests, cargo: { rows, runs: found } })
}
