import type { Batch, FencedAnswer } from '../../../packages/vsa/dist/index.js'
import type { Plan } from '../../../packages/vsa/dist/core/plan.js'
import type { ForgettingProduction } from './model-production.ts'
import { ModelStore, nameOf } from './model-store.ts'
import type { Ask, ModelBounds, ModelOwner, ModelState } from './model-world.ts'

const TTL_MS = 10
const KEY = 'k'
/** O4: a refund that waits is offered for a time, then given up. */
const OFFERS = 2
const BOUNDS = { leasesMax: 99, rowsMax: 99, ownersKeptMs: 1e12 } as const

export type Step = readonly [what: string, next: ModelState]

/** Every step from a state: two owners, one row, a store that forgets. Store, session and recollection are those of production. */
export class ModelSteps {
  readonly #production: ForgettingProduction
  readonly #bounds: ModelBounds
  readonly #plan: Plan
  readonly #store: ModelStore

  constructor(production: ForgettingProduction, bounds: ModelBounds) {
    this.#production = production
    this.#bounds = bounds
    this.#store = new ModelStore(production, TTL_MS)
    this.#plan = production.compilePolicy({ initial: bounds.limit, atRisk: bounds.limit })
  }

  first(): ModelState {
    const owner = (who: 0 | 1): ModelOwner => ({
      ...{ session: this.#production.NOT_JOINED, held: 0, since: 0, sends: this.#bounds.sends[who] },
      ...{ owed: 0, offers: OFFERS, gone: null, isDue: false },
      ...{ incarnation: null, deliveries: 0, answer: null },
    })
    const start = { saved: [], incarnation: 1, time: 1, admitted: 0, joins: 0, losses: 0 }
    const state: ModelState = { ...start, owners: [owner(0), owner(1)] }
    // A store that loses its own making is a new one: the first join stays.
    return this.#bounds.begun.reduce((from, what) => this.#named(from, what), this.#join(state, 0))
  }

  #named(state: ModelState, what: string): ModelState {
    for (const [named, next] of this.next(state)) if (named === what) return next
    throw new Error(`no step is: ${what}`)
  }

  /** What tells two states apart: also what a loss would bring back. */
  keyOf(state: ModelState): string {
    const { saved, owners, ...rest } = state
    const depths = Array.from({ length: 1 + this.#bounds.depth }, (_, lost) => this.#store.dump(saved, lost))
    return JSON.stringify([rest, depths, owners])
  }

  *next(state: ModelState): Generator<Step> {
    for (const who of [0, 1] as const) yield* this.#ownerSteps(state, who)
    for (const owner of this.#bounds.reaps ? this.#store.rowsOf(state.saved).owners() : [])
      if (owner.state === 'open') yield [`the store reaps epoch ${owner.epoch}`, this.#reap(state, owner.epoch)]
    const { losses, depth } = this.#bounds
    for (let lost = 1; lost <= depth && state.losses < losses && lost < state.saved.length; lost += 1)
      yield [`the store forgets its last ${lost}`, this.#forget(state, lost)]
    const thawed = this.#thaw(state)
    if (thawed !== null) yield ['the store thaws', thawed]
  }

  *#ownerSteps(state: ModelState, who: 0 | 1): Generator<Step> {
    const owner = state.owners[who]
    const name = 'AB'[who]
    if (owner.session.state === 'joining' && state.joins < this.#bounds.joins)
      yield [`${name} joins`, this.#join(state, who)]
    if (leftOf(owner) > 0)
      yield [`${name} spends 1`, { ...withOwner(state, who, { since: owner.since + 1 }), admitted: state.admitted + 1 }]
    if (owner.session.state === 'ready') {
      const isOld = owner.incarnation !== nameOf(state)
      if (owner.isDue) yield [`${name} restates`, this.#send(state, who, null)]
      else if (owner.sends > 0) {
        for (const ask of this.#bounds.asks[who])
          if (ask.refund <= state.admitted) yield [`${name} sends ${textOf(ask)}`, this.#send(state, who, ask)]
      } else if (isOld) yield [`${name} keeps alive`, this.#send(state, who, NOTHING)]
      if (!owner.isDue && owner.owed > 0 && owner.offers > 0)
        yield [`${name} sends what it owes`, this.#offer(state, who)]
    }
    if (owner.session.batch === null) return
    if (owner.deliveries < this.#bounds.deliveries[who])
      yield [`the store gets the batch of ${name}`, this.#deliver(state, who, owner.session.batch)]
    if (owner.answer !== null) yield [`${name} hears ${owner.answer.answer.kind}`, this.#hear(state, who)]
  }

  #join(state: ModelState, who: 0 | 1): ModelState {
    const { openEpoch, advanceSession } = this.#production
    const { time } = state
    const joining = { token: `token ${state.joins}`, label: '', leaseTtlMs: TTL_MS }
    const life = this.#store.lifeOf(state)
    const rows = this.#store.rowsOf(state.saved)
    const { joined, writes } = openEpoch({ lastEpoch: rows.lastEpoch, process: null }, joining, time, life)
    const owner = state.owners[who]
    const { next: session } = advanceSession(owner.session, { kind: 'joined', ...joined })
    const isAnother = owner.incarnation !== null && owner.incarnation !== life.incarnation
    const isDue = owner.gone !== null && (owner.isDue || isAnother)
    const joinedState = withOwner(state, who, { session, incarnation: life.incarnation, isDue, deliveries: 0 })
    return { ...joinedState, saved: this.#store.saved(state, writes, life), joins: state.joins + 1 }
  }

  #send(state: ModelState, who: 0 | 1, ask: Ask | null): ModelState {
    const { advanceSession, restatementOf } = this.#production
    const owner = state.owners[who]
    // F5: nothing else goes with what is restated.
    const entry =
      ask === null
        ? restatementOf({ ...this.#row(), gone: owner.gone ?? 0, untilMs: Infinity }, 1)
        : this.#entry(owner.since, ask.hold, owner.owed + ask.refund)
    const takes = (ask?.take ?? 0) > 0 ? [{ need: [[0, 1] as const], n: 1 }] : []
    const content = { entries: [entry], takes, close: false }
    const { next: session } = advanceSession(owner.session, { kind: 'send', content })
    const sends = ask === null ? owner.sends : Math.max(0, owner.sends - 1)
    const owed = ask === null ? owner.owed : 0
    const sent = withOwner(state, who, { session, sends, owed, since: 0, deliveries: 0, answer: null })
    return { ...sent, admitted: state.admitted - (ask?.refund ?? 0) }
  }

  /** O4: by a batch of its own. */
  #offer(state: ModelState, who: 0 | 1): ModelState {
    const { sends, offers } = state.owners[who]
    return withOwner(this.#send(state, who, NOTHING), who, { sends, offers: offers - 1 })
  }

  #deliver(state: ModelState, who: 0 | 1, batch: Batch): ModelState {
    const life = this.#store.lifeOf(state)
    const rows = this.#production.loadExchange(this.#store.rowsOf(state.saved), batch, state.time, true)
    const { answer, writes } = this.#production.transition(rows, batch, state.time, life)
    const { deliveries } = state.owners[who]
    const heard = { answer, incarnation: life.incarnation }
    const next = withOwner(state, who, { deliveries: deliveries + 1, answer: heard })
    return writes === null ? next : { ...next, saved: this.#store.saved(state, writes, life) }
  }

  #hear(state: ModelState, who: 0 | 1): ModelState {
    const owner = state.owners[who]
    const { batch } = owner.session
    if (batch === null || owner.answer === null) return state
    const { answer } = owner.answer
    const turn = this.#production.advanceSession(owner.session, { kind: 'answer', batch, answer })
    const over = { session: turn.next, answer: null, deliveries: 0 }
    if (turn.action === 'settle') {
      const [entry] = turn.answer.entries
      if (entry?.kind !== 'budget') throw new Error(`the row is not there: ${JSON.stringify(answer)}`)
      const memory = this.#remembering(owner, entry.minted - entry.pool, batch)
      const owed = owner.owed + refundIn(batch) - entry.refunded
      const admitted = state.admitted + (turn.answer.granted[0] ?? 0)
      return { ...withOwner(state, who, { ...over, ...memory, owed, held: entry.held }), admitted }
    }
    if (turn.action !== 'rejoin') throw new Error(`the session met ${JSON.stringify(answer)}`)
    const last = turn.answer?.last?.seq === batch.seq ? turn.answer.last : null
    const told = last === null ? null : (turn.answer?.gone[0] ?? null)
    const forgot = turn.answer === null || turn.answer.forgot
    const memory = this.#recollected(owner, (kept) => {
      if (told !== null) kept.remember(this.#row(), told, Infinity)
      if (forgot) kept.forgot()
    })
    const admitted = state.admitted + (last?.outcome.granted[0] ?? 0)
    const owed = owner.owed + this.#owedAgain(batch, turn.answer)
    return { ...withOwner(state, who, { ...over, ...memory, owed, held: 0, since: 0 }), admitted }
  }

  /** O5, F5: refunds of a batch whose epoch is over. The others are given up. */
  #owedAgain(batch: Batch, answer: FencedAnswer | null): number {
    const { fateOf, mayRefundAgain } = this.#production
    const fate = fateOf(batch, answer)
    if (fate.kind === 'applied') return refundIn(batch) - (fate.outcome.notes[0]?.refunded ?? 0)
    return mayRefundAgain(fate) ? refundIn(batch) : 0
  }

  /** F4, F10: what the answer tells is remembered, also where it was restated. */
  #remembering(owner: ModelOwner, gone: number, { entries }: Batch): Pick<ModelOwner, 'gone' | 'isDue'> {
    const [entry] = entries
    const isRestated = entry?.kind === 'budget' && entry.gone !== undefined
    return this.#recollected(owner, (kept) => {
      const [due] = kept.due(1)
      if (isRestated && due !== undefined) kept.restated(due, gone, Infinity)
      else kept.remember(this.#row(), gone, Infinity)
    })
  }

  #recollected(
    { gone, isDue }: ModelOwner,
    work: (kept: InstanceType<ForgettingProduction['Recollection']>) => void,
  ): Pick<ModelOwner, 'gone' | 'isDue'> {
    const kept = new this.#production.Recollection()
    if (gone !== null) kept.remember(this.#row(), gone, Infinity)
    if (isDue) kept.forgot()
    work(kept)
    const isStillDue = kept.isDue
    kept.forgot()
    return { gone: kept.due(1)[0]?.gone ?? null, isDue: isStillDue }
  }

  /** S8: its process is taken for dead. */
  #reap(state: ModelState, epoch: number): ModelState {
    const at = { time: state.time, timeSeen: state.time, clock: state.time }
    const loaded = this.#production.loadUpkeep(this.#store.rowsOf(state.saved), BOUNDS, at)
    const open = loaded.open.map((one) => ({ ...one, isGone: one.owner.epoch === epoch }))
    const caller = { epoch: 99, token: 'reaper', seq: 1 }
    const call = { caller, bounds: BOUNDS, leaseTtlMs: TTL_MS, standstillMs: 0 }
    const { writes } = this.#production.maintain({ ...loaded, open }, at, call)
    return writes === null ? state : { ...state, saved: this.#store.saved(state, writes, this.#store.lifeOf(state)) }
  }

  #forget(state: ModelState, lost: number): ModelState {
    const { incarnation, losses, saved } = state
    return { ...state, saved: this.#store.without(saved, lost), incarnation: incarnation + 1, losses: losses + 1 }
  }

  /** The promise: every owner that remembers something has restated it. F8: answers of before do not count any more. */
  #thaw(state: ModelState): ModelState | null {
    const { frozenUntil, incarnation } = this.#store.lifeOf(state)
    const isSeen = this.#store.keptOf(state.saved)?.incarnation === incarnation
    const isLate = state.owners.some(
      ({ gone, isDue, incarnation: own }) => gone !== null && (isDue || own !== incarnation),
    )
    if (!isSeen || frozenUntil === 0 || isLate) return null
    const [a, b] = state.owners.map((owner) =>
      owner.answer?.incarnation === incarnation ? owner : { ...owner, answer: null },
    )
    return a === undefined || b === undefined ? null : { ...state, time: frozenUntil, owners: [a, b] }
  }

  #entry(spent: number, hold: number, refund: number): Batch['entries'][number] {
    const { key, plan, window } = this.#row()
    const policy = plan.rowPolicy(window, 1)
    return { kind: 'budget', key, period: 0, known: false, spent, refund, hold, wantMs: 0, policy }
  }

  #row(): { readonly key: string; readonly plan: Plan; readonly window: ReturnType<Plan['windowAt']> } {
    return { key: KEY, plan: this.#plan, window: this.#plan.windowAt(0) }
  }
}

function withOwner(state: ModelState, who: 0 | 1, changes: Partial<ModelOwner>): ModelState {
  const [a, b] = state.owners
  return { ...state, owners: who === 0 ? [{ ...a, ...changes }, b] : [a, { ...b, ...changes }] }
}

const NOTHING: Ask = { hold: 0, take: 0, refund: 0 }

function textOf({ hold, take, refund }: Ask): string {
  return refund > 0 ? `refund ${refund}` : `hold ${hold}, take ${take}`
}

function refundIn({ entries }: Batch): number {
  const [entry] = entries
  return entry?.kind === 'budget' ? entry.refund : 0
}

/** O3 */
function leftOf({ session, held, since }: ModelOwner): number {
  const [entry] = session.batch?.entries ?? []
  if (entry?.kind !== 'budget') return held - since
  return Math.min(held - entry.spent, entry.hold) - since
}
