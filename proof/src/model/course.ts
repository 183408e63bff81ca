import type { Batch } from '../../../packages/vsa/dist/core/exchange.js'
import { auditRows } from './audit.ts'
import type { Bounds } from './bounds.ts'
import { Hearing } from './hearing.ts'
import { Memo } from './memo.ts'
import { type Moved, OwnerMoves } from './owner-moves.ts'
import type { Production } from './production.ts'
import { ModelStore } from './store.ts'
import type { AnswerMessage, Epoch, Owner, World } from './world.ts'

/** The next state after each kind of event. */
export class Course {
  readonly moves: OwnerMoves
  readonly #bounds: Bounds
  readonly #store: ModelStore
  readonly #hearing: Hearing

  constructor(production: Production, bounds: Bounds) {
    this.#bounds = bounds
    this.#store = new ModelStore(production, bounds)
    this.moves = new OwnerMoves(production, bounds)
    this.#hearing = new Hearing(production, this.moves)
  }

  get first(): World {
    const owner = this.moves.fresh
    return {
      books: this.#store.empty,
      owners: [owner, owner],
      network: [],
      counts: this.#bounds.rows.map(() => ({ admitted: 0, minted: 0, mint: null, mintsTold: 0 })),
      jumps: 0,
    }
  }

  /** A step of one owner alone. */
  move(world: World, at: number, moved: Moved): World {
    return withMoved(world, at, moved)
  }

  /** A join reaches the store. */
  join(world: World, at: number): World {
    const { books, epoch } = this.#store.join(world.books)
    return { ...world, books, network: [...world.network, { kind: 'joined', to: at, epoch }] }
  }

  /** The answer to a join reaches its owner. */
  joined(world: World, at: number, epoch: number): World {
    const owner = world.owners[at]
    return owner === undefined ? world : this.#tidy(withMoved(world, at, this.moves.joined(owner, epoch)))
  }

  /** @param keepsHouse whether upkeep (reaping, burning, pruning) runs before it */
  exchange(world: World, batch: Batch, keepsHouse: boolean): World {
    const { books, answer, messages } = this.#store.exchange(world.books, batch, keepsHouse)
    const seen = { before: world.books, after: books, batch }
    const counts = answer.kind === 'applied' ? auditRows(this.#bounds, { ...seen, answer }, world.counts) : world.counts
    const message = messages[world.owners.findIndex((owner) => owner.session.batch === batch)]
    const network = message === undefined ? world.network : [...world.network, message]
    return this.#tidy({ ...world, books, counts, network })
  }

  /** @param forsakes the owner gives up a refund that the store does not accept (O4) */
  hear(world: World, message: AnswerMessage, forsakes: boolean): World {
    const at = message.to
    const owner = world.owners[at]
    const epoch = world.books.epochs.find((one) => one.epoch === message.batch.epoch)
    if (owner === undefined || epoch === undefined) throw new Error(`epoch ${message.batch.epoch} is unknown`)
    const hear = (): Moved => this.#hearing.answer(owner, { message, epoch, forsakes })
    return this.#tidy(withMoved(world, at, forsakes ? hear() : owner.memo.recall(message, hear)))
  }

  /** A crash: the process loses its memory and the messages addressed to it. */
  crash(world: World, at: number): World {
    const network = world.network.filter((message) => message.kind === 'request' || message.to !== at)
    return this.#tidy({ ...withOwner(world, at, this.moves.fresh), network })
  }

  /** A message is lost. */
  lose(world: World): World {
    return this.#tidy(world)
  }

  /** Drops what can no longer be observed, and copies of late requests beyond the bound. */
  #tidy(world: World): World {
    const { owners, books } = world
    const isLive = (epoch: number): boolean => owners.some((owner) => owner.session.epoch === epoch)
    let late = 0
    const network = world.network.filter((message) => {
      if (message.kind === 'joined') return owners[message.to]?.session.state === 'joining'
      if (message.kind === 'answer') return this.#isHeard(owners[message.to], message)
      if (isLive(message.batch.epoch)) return true
      late += 1
      return late <= this.#bounds.lateMax
    })
    const isOfUse = ({ epoch, held }: Epoch): boolean =>
      isLive(epoch) ||
      held.some((units) => units > 0) ||
      network.some((message) => (message.kind === 'joined' ? message.epoch : message.batch.epoch) === epoch)
    if (books.epochs.every(isOfUse)) return { ...world, network }
    return { ...world, network, books: { ...books, epochs: books.epochs.filter(isOfUse), memo: new Memo() } }
  }

  /** An answer to the batch in flight or to an earlier one, under the same epoch. */
  #isHeard(owner: Owner | undefined, { batch }: AnswerMessage): boolean {
    if (owner === undefined) return false
    const { session } = owner
    return session.batch === batch || (this.#bounds.oldAnswers && session.epoch === batch.epoch)
  }
}

function withMoved(world: World, at: number, { owner, admitted, mintsTold, batch }: Moved): World {
  const next = owner === world.owners[at] ? world : withOwner(world, at, owner)
  const counts =
    admitted.length === 0 && mintsTold.length === 0
      ? world.counts
      : world.counts.map((count, row) => ({
          ...count,
          admitted: count.admitted + (admitted[row] ?? 0),
          mintsTold: count.mintsTold + (mintsTold[row] ?? 0),
        }))
  if (batch === null) return { ...next, counts }
  return { ...next, counts, network: [...world.network, { kind: 'request', batch, memo: new Memo() }] }
}

function withOwner(world: World, at: number, owner: Owner): World {
  return { ...world, owners: world.owners.map((was, index) => (index === at ? owner : was)) }
}
