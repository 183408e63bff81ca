import type { Batch } from '../../../packages/vsa/dist/core/exchange.js'
import { auditRows } from './audit.ts'
import type { Bounds } from './bounds.ts'
import { Hearing } from './hearing.ts'
import { Memo } from './memo.ts'
import { type Moved, type Order, OwnerMoves } from './owner-moves.ts'
import type { Production } from './production.ts'
import { nameOf, sayMessage, sayOrder } from './sayings.ts'
import { ModelStore } from './store.ts'
import type { AnswerMessage, Epoch, Message, Owner, World } from './world.ts'

/** One thing that may happen next. */
export interface Step {
  /** What it is, in words. */
  readonly say: () => string
  /** Something went wrong, or somebody asked for something: without these, all that is under way must come to an end. */
  readonly isFault: boolean
  /** @throws Violation when a law breaks on the way, or whatever production code throws */
  readonly take: () => World
}

/** Everything that may happen next in a state, within the bounds. The order is always the same, so that a number names a step. */
export class Steps {
  readonly #bounds: Bounds
  readonly #store: ModelStore
  readonly #moves: OwnerMoves
  readonly #hearing: Hearing
  readonly #orders: readonly Order[]

  constructor(production: Production, bounds: Bounds) {
    this.#bounds = bounds
    this.#store = new ModelStore(production, bounds)
    this.#moves = new OwnerMoves(production, bounds)
    this.#hearing = new Hearing(production, this.#moves)
    this.#orders = ordersOf(bounds)
  }

  get first(): World {
    const owner = this.#moves.fresh
    return {
      books: this.#store.empty,
      owners: [owner, owner],
      network: [],
      counts: this.#bounds.rows.map(() => ({ admitted: 0, minted: 0, mint: null, mintsTold: 0 })),
      jumps: 0,
    }
  }

  from(world: World): readonly Step[] {
    const steps: Step[] = []
    for (const [at, owner] of world.owners.entries()) {
      this.#ofCallers(steps, world, at, owner)
      this.#ofOwner(steps, world, at, owner)
    }
    for (const [index, message] of world.network.entries()) {
      const isTwin = world.network.findIndex((other) => isSame(other, message)) < index
      if (!isTwin) this.#ofMessage(steps, world, index, message)
    }
    this.#ofTime(steps, world)
    return steps
  }

  #ofCallers(steps: Step[], world: World, at: number, owner: Owner): void {
    const bounds = this.#bounds
    const { conversation, closing, accounts, requests } = owner
    if (conversation.firstEpoch === null || conversation.batch?.close === true) return
    const mayAsk = !closing
    for (const [row, account] of accounts.entries()) {
      const key = bounds.rows[row]?.key
      for (const units of bounds.costs)
        if (mayAsk && account.left >= units)
          this.#moving(steps, world, at, `a${row}${units}`, {
            isFault: true,
            say: (name) => `${name} admits ${units} of ${key} from its lease`,
            move: () => this.#moves.admit(owner, row, units),
          })
      if (account.owed + (account.sent?.refund ?? 0) < bounds.refundsMax)
        this.#moving(steps, world, at, `r${row}`, {
          isFault: true,
          say: (name) => `a caller gives 1 of ${key} back to ${name}`,
          move: () => this.#moves.refund(owner, row, 1),
        })
    }
    if (mayAsk && requests.length < bounds.requestsMax)
      for (const needs of bounds.needs)
        this.#moving(steps, world, at, `n${needs.join('+')}`, {
          isFault: true,
          say: (name) => `a caller asks ${name} for ${needs.join(' and ')}, durably`,
          move: () => this.#moves.ask(owner, needs),
        })
    if (mayAsk && accounts[0]?.mint === null)
      for (const units of bounds.mints)
        this.#moving(steps, world, at, `m${units}`, {
          isFault: true,
          say: (name) => `a caller asks ${name} to mint ${units}`,
          move: () => this.#moves.mint(owner, units),
        })
    for (const [index, request] of requests.entries())
      if (bounds.timeouts && !request.told)
        this.#moving(steps, world, at, `t${index}`, {
          isFault: true,
          say: (name) => `the caller of ${name} waits no longer`,
          move: () => this.#moves.giveUp(owner, index),
        })
  }

  #ofOwner(steps: Step[], world: World, at: number, owner: Owner): void {
    const { conversation, closing } = owner
    const { state, epoch, batch } = conversation
    if (state === 'joining') {
      const joins = world.network.filter((message) => message.kind === 'joined' && message.to === at).length
      if (joins < this.#bounds.joinsMax)
        add(
          steps,
          false,
          () => `${nameOf(at)} joins`,
          () => this.#join(world, at),
        )
    }
    const hasWay = copiesOf(world, epoch) < this.#bounds.attemptsMax
    if (state === 'ready' && hasWay)
      for (const [index, order] of this.#ordersOf(owner).entries())
        this.#moving(steps, world, at, `s${index}`, {
          isFault: order.rows.some((row) => row.wants),
          say: (name) => `${name} sends ${sayOrder(this.#bounds, order)}`,
          move: () => this.#moves.send(owner, order),
        })
    if (batch !== null && hasWay)
      this.#moving(steps, world, at, 'again', {
        isFault: false,
        say: (name) => `${name} sends batch ${batch.seq} again`,
        move: () => this.#moves.resend(owner),
      })
    if (this.#bounds.closes && epoch !== null && !closing)
      this.#moving(steps, world, at, 'close', {
        isFault: false,
        say: (name) => `${name} is to close`,
        move: () => this.#moves.close(owner),
      })
    if (this.#bounds.crashes && conversation.firstEpoch !== null && this.#late(world, at) <= this.#bounds.lateMax)
      add(
        steps,
        true,
        () => `${nameOf(at)} crashes`,
        () => this.#crash(world, at),
      )
  }

  /** A step of one owner: worked out once for all the states that have this owner. */
  #moving(steps: Step[], world: World, at: number, key: string, { isFault, say, move }: Move): void {
    const owner = world.owners[at]
    if (owner === undefined) return
    add(
      steps,
      isFault,
      () => say(nameOf(at)),
      () => withMoved(world, at, owner.memo.recall(key, move)),
    )
  }

  /** What may ride in the next batch. A closing owner asks for no lease, and closes with a batch for whose answer nobody waits. */
  #ordersOf({ closing, requests, accounts }: Owner): readonly Order[] {
    if (!closing) return this.#orders
    const isAwaited = requests.length > 0 || accounts.some(({ mint }) => mint !== null)
    const rows = accounts.map((_account, row) => ({ row, hold: 0, wants: false }))
    return isAwaited
      ? [{ rows, close: false }]
      : [
          { rows, close: true },
          { rows, close: false },
        ]
  }

  #ofMessage(steps: Step[], world: World, index: number, message: Message): void {
    const without = (): World => ({ ...world, network: world.network.filter((_other, at) => at !== index) })
    const say = (what: string) => (): string => `${sayMessage(message)} ${what}`
    add(steps, true, say('is lost'), () => this.#tidy(without()))
    switch (message.kind) {
      case 'joined':
        add(steps, false, say('arrives'), () => this.#joined(without(), message.to, message.epoch))
        return
      case 'answer':
        add(steps, false, say('arrives'), () => this.#hear(without(), message, false))
        if (message.batch.entries.some((entry) => entry.kind === 'budget' && entry.refund > 0))
          add(steps, false, say('arrives, and what it refuses to take back is given up'), () =>
            this.#hear(without(), message, true),
          )
        return
      case 'request': {
        const { batch } = message
        if (answersTo(world, batch.epoch) >= this.#bounds.answersMax) return
        add(steps, false, say('arrives'), () => this.#exchange(without(), batch, true))
        if (this.#bounds.duplicates)
          add(steps, true, say('arrives, and another copy is on its way'), () => this.#exchange(world, batch, true))
        if (this.#bounds.lazyStore && hasHousework(world))
          add(steps, true, say('arrives, and the store puts its housework off'), () =>
            this.#exchange(without(), batch, false),
          )
      }
    }
  }

  #ofTime(steps: Step[], world: World): void {
    const { books } = world
    const { tickMs, timeMax, jumpsMax, forgets } = this.#bounds
    const isAlive = ({ owner }: Epoch): boolean => owner?.state === 'open' && owner.expiresAt >= books.wall
    const isWanted = books.rows.some((row) => row !== null && row.wantedUntil > books.wall)
    const matters = timeMax < Infinity || isWanted || books.epochs.some(isAlive)
    if (matters && books.wall + tickMs <= timeMax)
      add(
        steps,
        false,
        () => `${tickMs} ms pass`,
        () => atTime(world, books.wall + tickMs),
      )
    if (world.jumps < jumpsMax && books.wall > 0)
      add(
        steps,
        true,
        () => 'the clock of the store is set back',
        () => ({ ...atTime(world, 0), jumps: world.jumps + 1 }),
      )
    for (const epoch of books.epochs)
      if (forgets && epoch.owner?.state === 'closed' && epoch.held.every((units) => units === 0))
        add(
          steps,
          true,
          () => `the store forgets epoch ${epoch.epoch}`,
          () => forgetting(world, epoch),
        )
  }

  #join(world: World, at: number): World {
    const { books, epoch } = this.#store.join(world.books)
    return { ...world, books, network: [...world.network, { kind: 'joined', to: at, epoch }] }
  }

  #joined(world: World, at: number, epoch: number): World {
    const owner = world.owners[at]
    return owner === undefined ? world : this.#tidy(withMoved(world, at, this.#moves.joined(owner, epoch)))
  }

  #exchange(world: World, batch: Batch, keepsHouse: boolean): World {
    const { books, answer, messages } = this.#store.exchange(world.books, batch, keepsHouse)
    const seen = { before: world.books, after: books, batch }
    const counts = answer.kind === 'applied' ? auditRows(this.#bounds, { ...seen, answer }, world.counts) : world.counts
    const message = messages[world.owners.findIndex((owner) => owner.conversation.batch === batch)]
    const network = message === undefined ? world.network : [...world.network, message]
    return this.#tidy({ ...world, books, counts, network })
  }

  #hear(world: World, message: AnswerMessage, forsakes: boolean): World {
    const at = message.to
    const owner = world.owners[at]
    const epoch = world.books.epochs.find((one) => one.epoch === message.batch.epoch)
    if (owner === undefined || epoch === undefined) throw new Error(`nothing is known of epoch ${message.batch.epoch}`)
    const hear = (): Moved => this.#hearing.answer(owner, { message, epoch, forsakes })
    return this.#tidy(withMoved(world, at, forsakes ? hear() : owner.memo.recall(message, hear)))
  }

  /** What is lost with the process: its memory, and whatever was on its way to it. */
  #crash(world: World, at: number): World {
    const network = world.network.filter((message) => message.kind === 'request' || message.to !== at)
    return this.#tidy({ ...withOwner(world, at, this.#moves.fresh), network })
  }

  /** Drops what nobody can see any more, and copies of late requests beyond the bound. */
  #tidy(world: World): World {
    const { owners, books } = world
    const isLive = (epoch: number): boolean => owners.some((owner) => owner.conversation.epoch === epoch)
    let late = 0
    const network = world.network.filter((message) => {
      if (message.kind === 'joined') return owners[message.to]?.conversation.state === 'joining'
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

  /** An answer to what is in flight, or to what was before it, under the same epoch. */
  #isHeard(owner: Owner | undefined, { batch }: AnswerMessage): boolean {
    if (owner === undefined) return false
    const { conversation } = owner
    return conversation.batch === batch || (this.#bounds.oldAnswers && conversation.epoch === batch.epoch)
  }

  /** Requests without an owner, if this one goes. */
  #late({ network, owners }: World, at: number): number {
    const isLive = (epoch: number): boolean =>
      owners.some((owner, index) => index !== at && owner.conversation.epoch === epoch)
    return network.filter((message) => message.kind === 'request' && !isLive(message.batch.epoch)).length
  }
}

interface Move {
  readonly isFault: boolean
  readonly say: (name: string) => string
  readonly move: () => Moved
}

function add(steps: Step[], isFault: boolean, say: () => string, take: () => World): void {
  steps.push({ isFault, say, take })
}

/** The leases that a batch may ask for: each row by itself, and all at once. */
function ordersOf({ rows, wants }: Bounds): readonly Order[] {
  const choices = rows.map(({ atRisk }, row) =>
    Array.from({ length: atRisk + 1 }, (_, hold) => hold).flatMap((hold) =>
      (wants ? [false, true] : [false]).map((marks) => ({ row, hold, wants: marks })),
    ),
  )
  const alone = choices.flatMap((choice) => choice.map((one) => [one]))
  const together = choices.reduce<Order['rows'][]>(
    (sofar, choice) => sofar.flatMap((rest) => choice.map((one) => [...rest, one])),
    [[]],
  )
  return [...alone, ...(rows.length > 1 ? together : [])].map((order) => ({ rows: order, close: false }))
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

function atTime(world: World, wall: number): World {
  return { ...world, books: { ...world.books, wall, memo: new Memo() } }
}

function forgetting(world: World, { epoch }: Epoch): World {
  const epochs = world.books.epochs.map((one) => (one.epoch === epoch ? { ...one, owner: null } : one))
  return { ...world, books: { ...world.books, epochs, memo: new Memo() } }
}

function copiesOf({ network }: World, epoch: number | null): number {
  return network.filter((message) => message.kind === 'request' && message.batch.epoch === epoch).length
}

/** Answers on their way to the owner of an epoch. */
function answersTo({ network }: World, epoch: number): number {
  return network.filter((message) => message.kind === 'answer' && message.batch.epoch === epoch).length
}

function hasHousework({ books }: World): boolean {
  const time = Math.max(books.wall, books.timeSeen)
  const isDue = ({ owner, held }: Epoch): boolean =>
    owner?.state === 'open' ? owner.expiresAt < time : held.some((units) => units > 0)
  return (
    books.epochs.some(isDue) || books.rows.some((row) => row !== null && row.keepUntil !== null && row.keepUntil < time)
  )
}

function isSame(left: Message, right: Message): boolean {
  if (left.kind === 'request') return right.kind === 'request' && left.batch === right.batch
  return left === right
}
