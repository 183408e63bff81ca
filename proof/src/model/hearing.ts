import type { Answer, AppliedAnswer, Batch, FencedAnswer } from '../../../packages/vsa/dist/core/exchange.js'
import type { Conversation } from '../../../packages/vsa/dist/engine/conversation.js'
import { must } from '../simulation/violation.ts'
import type { Counted, LiveOwner } from './live-owner.ts'
import { ownerAt, type OwnerMoves, withOwner } from './owner-moves.ts'
import type { Production } from './production.ts'
import type { AccountState, Epoch, EpochRecord, Owner, Request, World } from './world.ts'

/** What became of the batch, by the model's own record: it counts, it does not, or nobody can know any more. */
type Fate = { readonly kind: 'applied'; readonly record: EpochRecord } | { readonly kind: 'not_applied' | 'unknown' }

/** What an owner does with what it hears from the store, and what its callers are told then. */
export class Hearing {
  readonly #production: Production
  readonly #moves: OwnerMoves

  constructor(production: Production, moves: OwnerMoves) {
    this.#production = production
    this.#moves = moves
  }

  /** The answer to a join. */
  joined(world: World, at: number, epoch: number): World {
    const owner = ownerAt(world, at)
    const { next } = this.#production.converse(owner.conversation, { kind: 'joined', epoch })
    return withOwner(world, at, { ...owner, conversation: next })
  }

  /** @param forsakes a refund that is not accepted has been offered for long enough (O4) */
  answer(world: World, at: number, batch: Batch, answer: Answer, forsakes: boolean): World {
    const owner = ownerAt(world, at)
    const turn = this.#production.converse(owner.conversation, { kind: 'answer', batch, answer })
    const epoch = world.books.epochs.find((one) => one.epoch === batch.epoch)
    switch (turn.action) {
      case 'settle':
        return this.#settled(world, at, turn.next, { batch, epoch, forsakes }, turn.answer)
      case 'rejoin':
        return this.#fenced(world, at, turn.next, { batch, epoch, forsakes }, turn.answer)
      case 'end':
        return this.#closed(world, at, turn.next, { batch, epoch, forsakes }, turn.last?.answer)
      case 'ignore':
        return world
      case 'void':
      case 'join':
      case 'open':
      case 'attempt':
      case 'pause':
        throw new Error(`an answer was heard, and the session says ${turn.action}`)
    }
  }

  #settled(world: World, at: number, conversation: Conversation, heard: Heard, answer: AppliedAnswer): World {
    const owner = ownerAt(world, at)
    const live = this.#revive(owner, heard)
    const fate = fateOf(heard, answer)
    must(fate.kind === 'applied', 'L3', () => `batch ${heard.batch.seq} was told to be applied, and was not`)
    live.settle(answer, owner.closing)
    const counted = owner.accounts.map(countedOf)
    this.#countRefunds(counted, owner, heard, fate)
    // A row that is not there takes nothing back, now or later.
    for (const [index, entry] of answer.entries.entries())
      if (entry.kind !== 'budget') counted[owner.cargo?.rows[index] ?? -1] = { unsent: 0, owed: 0 }
    return this.#told(world, at, conversation, live, fate, counted)
  }

  /** O5 */
  #fenced(world: World, at: number, conversation: Conversation, heard: Heard, answer: FencedAnswer | null): World {
    const owner = ownerAt(world, at)
    const fate = fateOf(heard, answer)
    const closed = heard.batch.close && fate.kind === 'applied'
    must(!closed, 'S9', () => `epoch ${heard.batch.epoch} was closed, and its owner takes it for fenced`)
    const live = this.#revive(owner, heard)
    live.fence(heard.batch, answer)
    const counted = owner.accounts.map(({ owed }, row) => ({ unsent: 0, owed: owed + loweredOf(owner, row, fate) }))
    this.#countRefunds(counted, owner, heard, fate)
    return this.#told(world, at, conversation, live, fate, counted)
  }

  /** S9, O13 */
  #closed(
    world: World,
    at: number,
    conversation: Conversation,
    heard: Heard,
    answer: AppliedAnswer | FencedAnswer | undefined,
  ): World {
    const { epoch, batch } = heard
    must(
      epoch === undefined || (epoch.owner?.state !== 'open' && epoch.held.every((units) => units === 0)),
      'S9',
      () => `epoch ${batch.epoch} is told to be closed, and is open or holds units`,
    )
    const fate = fateOf(heard, answer)
    must(fate.kind === 'applied', 'S9', () => `the close of epoch ${batch.epoch} was told to be applied, and was not`)
    const owner = ownerAt(world, at)
    const live = this.#revive(owner, heard)
    if (answer?.kind === 'fenced') live.settleClosed(answer)
    else if (answer !== undefined) live.settle(answer, true)
    const next = this.#told(world, at, conversation, live, fate, owner.accounts.map(countedOf))
    must(ownerAt(next, at).requests.length === 0, 'O13', () => 'a closed owner still owes an answer')
    // The process may start again.
    return withOwner(next, at, this.#moves.fresh)
  }

  #revive(owner: Owner, { forsakes }: Heard): LiveOwner {
    const live = this.#moves.live(owner)
    if (forsakes) for (const account of live.accounts) account.refundGivenUpAtMs = -Infinity
    return live
  }

  /** O4: what the store did not take back is owed again. */
  #countRefunds(counted: Counted[], owner: Owner, { batch, forsakes }: Heard, fate: Fate): void {
    for (const [index, entry] of batch.entries.entries()) {
      const row = owner.cargo?.rows[index] ?? -1
      const count = counted[row]
      if (count === undefined || entry.kind !== 'budget' || fate.kind === 'unknown') continue
      const refunded = fate.kind === 'applied' ? (fate.record.refunded[index] ?? 0) : 0
      if (fate.kind === 'not_applied' || !forsakes)
        counted[row] = { ...count, owed: count.owed + entry.refund - refunded }
    }
  }

  /** Compares what callers are told with the model's own record. */
  #told(
    world: World,
    at: number,
    conversation: Conversation,
    live: LiveOwner,
    fate: Fate,
    counted: readonly Counted[],
  ): World {
    const owner = ownerAt(world, at)
    let owing = counted
    for (const [index, request] of owner.requests.entries()) {
      const verdict = live.requests[index]?.verdict ?? null
      const granted = isGranted(owner, index, fate)
      must(
        verdict !== 'admitted' || granted,
        'L3',
        () => `a caller was told that ${units(request.needs)} are admitted, and the store has no such thing`,
      )
      must(
        !granted || request.told || verdict === 'admitted',
        'L3',
        () => `the store gave ${units(request.needs)} to a request, and its caller was told ${verdict ?? 'nothing'}`,
      )
      // O10: who was told otherwise meanwhile has not got them.
      if (granted && request.told)
        owing = owing.map(({ unsent, owed }, row) => ({ unsent, owed: owed + (request.needs[row] ?? 0) }))
    }
    const counts = world.counts.map((count, row) =>
      live.mints[row]?.verdict === true ? { ...count, mintsTold: count.mintsTold + 1 } : count,
    )
    live.shipment = null
    const { accounts, requests } = live.freeze(owing)
    return { ...withOwner(world, at, { ...owner, conversation, accounts, requests, cargo: null }), counts }
  }
}

interface Heard {
  readonly batch: Batch
  readonly epoch: Epoch | undefined
  readonly forsakes: boolean
}

function fateOf({ batch, epoch }: Heard, answer: Answer | null | undefined): Fate {
  if (epoch === undefined) throw new Error(`nothing is known of epoch ${batch.epoch}`)
  if (epoch.owner === null && answer?.kind === 'fenced' && answer.last === null) return { kind: 'unknown' }
  if (epoch.record.seq === batch.seq) return { kind: 'applied', record: epoch.record }
  return { kind: 'not_applied' }
}

/** Whether the units of the request are in the store, for it. */
function isGranted({ requests, cargo }: Owner, index: number, fate: Fate): boolean {
  if (fate.kind !== 'applied' || cargo === null) return false
  if (requests[index]?.place === 'confirming_sent') return true
  return cargo.runs.some((run, at) => {
    const place = run.indexOf(index)
    return place >= 0 && place < (fate.record.granted[at] ?? 0)
  })
}

/**
 * O5: what durable requests had spent from the lease is lost with it, and they ask again. Refunds that had lowered that spending are
 * owed again.
 */
function loweredOf({ accounts, requests }: Owner, row: number, fate: Fate): number {
  const spentBy = (place: Request['place']): number =>
    requests.reduce((sum, request) => sum + (request.place === place ? (request.needs[row] ?? 0) : 0), 0)
  const account = accounts[row]
  const unsent = Math.max(0, spentBy('confirming') - (account?.unsent ?? 0))
  const sent = Math.max(0, spentBy('confirming_sent') - (account?.sent?.spent ?? 0))
  return fate.kind === 'not_applied' ? unsent + sent : unsent
}

function countedOf({ unsent, owed }: AccountState): Counted {
  return { unsent, owed }
}

function units(needs: readonly number[]): string {
  return `${needs.join(' + ')} units`
}
