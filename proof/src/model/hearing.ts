import type { AppliedAnswer, FencedAnswer } from '../../../packages/vsa/dist/core/exchange.js'
import type { SessionRecord } from '../../../packages/vsa/dist/engine/session/state-machine.js'
import { must } from '../simulation/violation.ts'
import type { Counted, LiveOwner } from './live-owner.ts'
import { changed, type Moved, moved, type OwnerMoves } from './owner-moves.ts'
import type { Production } from './production.ts'
import type { LeaseState, AnswerMessage, Epoch, EpochRecord, Owner, Request } from './world.ts'

/** The fate of the batch in the model's own record: applied, not applied, or unknown. */
type Fate = { readonly kind: 'applied'; readonly record: EpochRecord } | { readonly kind: 'not_applied' | 'unknown' }

/** An answer that was received, with what the model knows about its batch. */
export interface Heard {
  readonly message: AnswerMessage
  /** The epoch of the batch. */
  readonly epoch: Epoch
  /** The owner gives up a refund that the store does not accept (O4). */
  readonly forsakes: boolean
}

/** How an owner handles an answer of the store, and what its callers are answered. */
export class Hearing {
  readonly #production: Production
  readonly #moves: OwnerMoves

  constructor(production: Production, moves: OwnerMoves) {
    this.#production = production
    this.#moves = moves
  }

  answer(owner: Owner, heard: Heard): Moved {
    const { batch, answer } = heard.message
    const { session } = owner
    const turn = this.#production.advanceSession(session, { kind: 'answer', batch, answer })
    const isNews = session.batch === batch
    must(isNews || turn.action === 'ignore', 'O2', () => `an answer to batch ${batch.seq}, which is over, was accepted`)
    switch (turn.action) {
      case 'settle':
        return this.#settled(owner, turn.next, heard, turn.answer)
      case 'rejoin':
        return this.#fenced(owner, turn.next, heard, turn.answer)
      case 'end':
        return this.#closed(owner, turn.next, heard, turn.last?.answer)
      case 'ignore':
        return moved(owner)
      case 'void':
      case 'join':
      case 'open':
      case 'attempt':
      case 'pause':
      case 'leave':
        throw new Error(`unexpected session action ${turn.action} after an answer`)
    }
  }

  #settled(owner: Owner, session: SessionRecord, heard: Heard, answer: AppliedAnswer): Moved {
    const fate = fateOf(heard)
    must(fate.kind === 'applied', 'L3', () => `batch ${heard.message.batch.seq} was reported as applied, and was not`)
    const live = this.#revive(owner, heard)
    live.settle(answer, owner.closing)
    const counted = withRefunds(owner.leases.map(countedOf), owner, heard, fate)
    // A missing row accepts no refund, now or later.
    const missing = answer.entries.flatMap((entry, at) =>
      entry.kind === 'budget' || entry.kind === 'removed' ? [] : [owner.cargo?.rows[at] ?? -1],
    )
    const left = counted.map((count, row) => (missing.includes(row) ? { unsent: 0, owed: 0 } : count))
    return told(owner, session, live, fate, left)
  }

  /** O5 */
  #fenced(owner: Owner, session: SessionRecord, heard: Heard, answer: FencedAnswer | null): Moved {
    const { batch } = heard.message
    const fate = fateOf(heard)
    const isClosed = batch.close && fate.kind === 'applied'
    must(!isClosed, 'S9', () => `epoch ${batch.epoch} was closed, and its owner treats it as fenced`)
    const live = this.#revive(owner, heard)
    live.fence(batch, answer)
    const counted = owner.leases.map(({ owed }, row) => ({ unsent: 0, owed: owed + loweredOf(owner, row, fate) }))
    return told(owner, session, live, fate, withRefunds(counted, owner, heard, fate))
  }

  /** S9, O13 */
  #closed(owner: Owner, session: SessionRecord, heard: Heard, answer: AppliedAnswer | FencedAnswer | undefined): Moved {
    const { epoch } = heard
    must(
      epoch.owner?.state !== 'open' && epoch.held.every((units) => units === 0),
      'S9',
      () => `epoch ${epoch.epoch} is reported as closed, and is open or holds units`,
    )
    const fate = fateOf(heard)
    must(fate.kind === 'applied', 'S9', () => `the close of epoch ${epoch.epoch} was reported as applied, and was not`)
    const live = this.#revive(owner, heard)
    if (answer?.kind === 'fenced') live.settleClosed(answer)
    else if (answer !== undefined) live.settle(answer, true)
    const last = told(owner, session, live, fate, owner.leases.map(countedOf))
    must(last.owner.requests.length === 0, 'O13', () => 'a closed owner has an unanswered request')
    // The process may start again.
    return { ...last, owner: this.#moves.fresh }
  }

  #revive(owner: Owner, { forsakes }: Heard): LiveOwner {
    const live = this.#moves.live(owner)
    if (forsakes) for (const { schedule } of live.rows) schedule.refundGivenUpAtMs = -Infinity
    return live
  }
}

/** Compares the answers to callers with the model's own record. */
function told(owner: Owner, session: SessionRecord, live: LiveOwner, fate: Fate, counted: readonly Counted[]): Moved {
  let owing = counted
  for (const [index, request] of owner.requests.entries()) {
    const verdict = live.requests[index]?.verdict ?? null
    const isGranted = isIn(owner, index, fate)
    must(
      verdict !== 'admitted' || isGranted,
      'L3',
      () => `a caller was answered that ${units(request.needs)} are admitted, and the store did not grant them`,
    )
    must(
      !isGranted || request.told || verdict === 'admitted',
      'L3',
      () =>
        `the store granted ${units(request.needs)} to a request, and its caller was answered ${verdict ?? 'nothing'}`,
    )
    // O10: the caller timed out before, so the granted units are refunded.
    if (isGranted && request.told)
      owing = owing.map(({ unsent, owed }, row) => ({ unsent, owed: owed + (request.needs[row] ?? 0) }))
  }
  const mintsTold = live.mints.map((mint) => (mint?.verdict === true ? 1 : 0))
  live.inFlight = null
  const { leases, requests } = live.freeze(owing)
  return moved(changed(owner, { session, leases, requests, cargo: null }), [], mintsTold)
}

/** O4: the part of a refund that the store did not accept is owed again. */
function withRefunds(counted: readonly Counted[], owner: Owner, heard: Heard, fate: Fate): readonly Counted[] {
  const { entries } = heard.message.batch
  if (fate.kind === 'unknown' || (fate.kind === 'applied' && heard.forsakes)) return counted
  return counted.map(({ unsent, owed }, row) => {
    const at = owner.cargo?.rows.indexOf(row) ?? -1
    const entry = entries[at]
    if (entry?.kind !== 'budget') return { unsent, owed }
    const refunded = fate.kind === 'applied' ? (fate.record.refunded[at] ?? 0) : 0
    return { unsent, owed: owed + entry.refund - refunded }
  })
}

function fateOf({ message, epoch }: Heard): Fate {
  const { batch, answer } = message
  if (epoch.owner === null && answer.kind === 'fenced' && answer.last === null) return { kind: 'unknown' }
  if (epoch.record.seq === batch.seq) return { kind: 'applied', record: epoch.record }
  return { kind: 'not_applied' }
}

/** Whether the store has granted the units of the request. */
function isIn({ requests, cargo }: Owner, index: number, fate: Fate): boolean {
  if (fate.kind !== 'applied' || cargo === null) return false
  if (requests[index]?.place === 'confirming_sent') return true
  return cargo.runs.some((run, at) => {
    const place = run.indexOf(index)
    return place >= 0 && place < (fate.record.granted[at] ?? 0)
  })
}

/**
 * O5: units that durable requests spent from the lease are lost with it, and those requests are queued again. Refunds that had lowered
 * that spending are owed again.
 */
function loweredOf({ leases, requests }: Owner, row: number, fate: Fate): number {
  const spentBy = (place: Request['place']): number =>
    requests.reduce((sum, request) => sum + (request.place === place ? (request.needs[row] ?? 0) : 0), 0)
  const lease = leases[row]
  const unsent = Math.max(0, spentBy('confirming') - (lease?.unsent ?? 0))
  const sent = Math.max(0, spentBy('confirming_sent') - (lease?.sent?.spent ?? 0))
  return fate.kind === 'not_applied' ? unsent + sent : unsent
}

function countedOf({ unsent, owed }: LeaseState): Counted {
  return { unsent, owed }
}

function units(needs: readonly number[]): string {
  return `${needs.join(' + ')} units`
}
