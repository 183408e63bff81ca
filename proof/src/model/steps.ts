import type { Batch } from '../../../packages/vsa/dist/core/exchange.js'
import { auditExchange, auditReaping } from './audit.ts'
import type { Bounds } from './bounds.ts'
import { Hearing } from './hearing.ts'
import { onItsWay, type Order, OwnerMoves } from './owner-moves.ts'
import type { Production } from './production.ts'
import { ModelStore } from './store.ts'
import type { Epoch, Message, Owner, World } from './world.ts'

/** One thing that may happen next. */
export interface Step {
  /** What it is, in words. */
  readonly say: () => string
  /** Something went wrong, or somebody asked for something: without these, all that is under way must come to an end. */
  readonly isFault: boolean
  /** @throws Violation when a law breaks on the way, or whatever production code throws */
  readonly take: () => World
}

const NAMES = ['A', 'B', 'C']

/** Everything that may happen next in a state, within the bounds. The order is always the same, so that a number names a step. */
export class Steps {
  readonly #bounds: Bounds
  readonly #store: ModelStore
  readonly #moves: OwnerMoves
  readonly #hearing: Hearing
  /** All the leases that a batch may ask for, each row by itself, and all at once. */
  readonly #orders: readonly Order['rows'][]

  constructor(production: Production, bounds: Bounds) {
    this.#bounds = bounds
    this.#store = new ModelStore(production, bounds)
    this.#moves = new OwnerMoves(production, bounds)
    this.#hearing = new Hearing(production, this.#moves)
    this.#orders = ordersOf(bounds)
  }

  get first(): World {
    return {
      books: this.#store.empty,
      owners: [this.#moves.fresh, this.#moves.fresh],
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
    const { bounds, name } = { bounds: this.#bounds, name: NAMES[at] }
    const { conversation, closing, accounts, requests } = owner
    if (conversation.firstEpoch === null || conversation.batch?.close === true) return
    for (const [row, account] of accounts.entries()) {
      const key = bounds.rows[row]?.key
      for (const units of bounds.costs) {
        if (closing || account.left < units) continue
        add(steps, true, () => `${name} admits ${units} of ${key} from its lease`, () => this.#moves.admit(world, at, row, units))
      }
      if (account.owed + (account.sent?.refund ?? 0) < bounds.refundsMax)
        add(steps, true, () => `a caller gives 1 of ${key} back to ${name}`, () => this.#moves.refund(world, at, row, 1))
    }
    if (!closing && requests.length < bounds.requestsMax)
      for (const needs of bounds.needs)
        add(steps, true, () => `a caller asks ${name} for ${needs.join(' and ')}, durably`, () => this.#moves.ask(world, at, needs))
    if (!closing && accounts[0]?.mint === null)
      for (const units of bounds.mints)
        add(steps, true, () => `a caller asks ${name} to mint ${units}`, () => this.#moves.mint(world, at, units))
    for (const [index, request] of requests.entries())
      if (bounds.timeouts && !request.told)
        add(steps, true, () => `the caller of ${name} waits no longer`, () => this.#moves.giveUp(world, at, index))
  }

  #ofOwner(steps: Step[], world: World, at: number, owner: Owner): void {
    const name = NAMES[at]
    const { conversation, closing } = owner
    const { state, epoch } = conversation
    if (state === 'joining') {
      const joins = world.network.filter((message) => message.kind === 'joined' && message.to === at).length
      if (joins < this.#bounds.joinsMax) add(steps, false, () => `${name} joins`, () => this.#join(world, at))
    }
    const hasWay = copiesOf(world, epoch) < this.#bounds.attemptsMax
    if (state === 'ready' && hasWay)
      for (const order of this.#ordersOf(owner)) this.#sending(steps, world, at, order)
    if (conversation.batch !== null && hasWay)
      add(steps, false, () => `${name} sends batch ${conversation.batch?.seq} again`, () => this.#moves.resend(world, at))
    if (this.#bounds.closes && epoch !== null && !closing)
      add(steps, false, () => `${name} is to close`, () => this.#moves.close(world, at))
    if (this.#bounds.crashes && conversation.firstEpoch !== null && this.#late(world, at) <= this.#bounds.lateMax)
      add(steps, true, () => `${name} crashes`, () => this.#tidy(this.#moves.crash(world, at)))
  }

  #sending(steps: Step[], world: World, at: number, order: Order): void {
    const wants = order.rows.some((row) => row.wants)
    add(
      steps,
      wants,
      () => `${NAMES[at]} sends a batch${order.rows.map((row) => sayOrder(this.#bounds, row)).join('')}${order.close ? ' and closes' : ''}`,
      () => this.#moves.send(world, at, order),
    )
  }

  /** What may ride in the next batch. A closing owner asks for no lease, and closes with a batch for whose answer nobody waits. */
  #ordersOf(owner: Owner): readonly Order[] {
    const { closing, requests, accounts } = owner
    if (!closing) return this.#orders.map((rows) => ({ rows, close: false }))
    const isAwaited = requests.length > 0 || accounts.some(({ mint }) => mint !== null)
    const rows = accounts.map((_account, row) => ({ row, hold: 0, wants: false }))
    return [{ rows, close: !isAwaited }, ...(isAwaited ? [] : [{ rows, close: false }])]
  }

  #ofMessage(steps: Step[], world: World, index: number, message: Message): void {
    const rest = { ...world, network: world.network.filter((_other, at) => at !== index) }
    const say = sayMessage(message)
    add(steps, true, () => `${say} is lost`, () => this.#tidy(rest))
    switch (message.kind) {
      case 'joined':
        add(steps, false, () => `${say} arrives`, () => this.#tidy(this.#hearing.joined(rest, message.to, message.epoch)))
        return
      case 'answer': {
        const { to, batch, answer } = message
        const hear = (forsakes: boolean) => (): World =>
          this.#tidy(this.#hearing.answer(rest, to, batch, answer, forsakes))
        add(steps, false, () => `${say} arrives`, hear(false))
        if (batch.entries.some((entry) => entry.kind === 'budget' && entry.refund > 0))
          add(steps, false, () => `${say} arrives, and a refund that it refuses is given up`, hear(true))
        return
      }
      case 'request': {
        const { batch } = message
        if (this.#answersTo(world, batch) >= this.#bounds.answersMax) return
        add(steps, false, () => `${say} arrives`, () => this.#exchange(rest, batch, true))
        if (this.#bounds.duplicates)
          add(steps, true, () => `${say} arrives, and another copy is on its way`, () => this.#exchange(world, batch, true))
        if (this.#bounds.lazyStore && hasHousework(rest))
          add(steps, true, () => `${say} arrives, and the store puts its housework off`, () => this.#exchange(rest, batch, false))
      }
    }
  }

  /** Answers on their way to the owner that waits for one to this batch. */
  #answersTo({ network }: World, batch: Batch): number {
    return network.filter((message) => message.kind === 'answer' && message.batch === batch).length
  }

  #ofTime(steps: Step[], world: World): void {
    const { books } = world
    const { tickMs, timeMax, jumpsMax, forgets } = this.#bounds
    const isAlive = ({ owner }: Epoch): boolean => owner?.state === 'open' && owner.expiresAt >= books.wall
    const isWanted = books.rows.some((row) => row !== null && row.wantedUntil > books.wall)
    if (books.wall + tickMs <= timeMax && (timeMax < Infinity || isWanted || books.epochs.some(isAlive)))
      add(steps, false, () => `${tickMs} ms pass`, () => ({ ...world, books: { ...books, wall: books.wall + tickMs } }))
    if (world.jumps < jumpsMax && books.wall > 0)
      add(steps, true, () => 'the clock of the store is set back', () => ({ ...world, jumps: world.jumps + 1, books: { ...books, wall: 0 } }))
    for (const epoch of books.epochs)
      if (forgets && epoch.owner?.state === 'closed' && epoch.held.every((units) => units === 0))
        add(steps, true, () => `the store forgets epoch ${epoch.epoch}`, () => forgetting(world, epoch))
  }

  #join(world: World, at: number): World {
    const { books, epoch } = this.#store.join(world.books)
    auditReaping(this.#bounds, world.books, books)
    return onItsWay({ ...world, books }, { kind: 'joined', to: at, epoch })
  }

  #exchange(world: World, batch: Batch, keepsHouse: boolean): World {
    const { books, answer } = this.#store.exchange(world.books, batch, keepsHouse)
    const audited = auditExchange(this.#bounds, world.books, batch, answer, books, world.counts)
    auditReaping(this.#bounds, world.books, audited.books)
    const to = world.owners.findIndex((owner) => owner.conversation.batch === batch)
    const next = { ...world, ...audited }
    return this.#tidy(to < 0 ? next : onItsWay(next, { kind: 'answer', to, batch, answer }))
  }

  /** Drops what nobody can see any more, and copies of late requests beyond the bound. */
  #tidy(world: World): World {
    const network = world.network.filter((message) => {
      if (message.kind === 'joined') return world.owners[message.to]?.conversation.state === 'joining'
      return message.kind === 'request' || world.owners[message.to]?.conversation.batch === message.batch
    })
    const isLive = (epoch: number): boolean => world.owners.some((owner) => owner.conversation.epoch === epoch)
    let late = 0
    const kept = network.filter((message) => {
      if (message.kind !== 'request' || isLive(message.batch.epoch)) return true
      late += 1
      return late <= this.#bounds.lateMax
    })
    const epochs = world.books.epochs.filter(
      ({ epoch, held }) =>
        isLive(epoch) ||
        held.some((units) => units > 0) ||
        kept.some((message) => (message.kind === 'joined' ? message.epoch : message.batch.epoch) === epoch),
    )
    return { ...world, network: kept, books: { ...world.books, epochs } }
  }

  /** Requests without an owner, if this one goes. */
  #late({ network, owners }: World, at: number): number {
    const isLive = (epoch: number): boolean =>
      owners.some((owner, index) => index !== at && owner.conversation.epoch === epoch)
    return network.filter((message) => message.kind === 'request' && !isLive(message.batch.epoch)).length
  }
}

function add(steps: Step[], isFault: boolean, say: () => string, take: () => World): void {
  steps.push({ isFault, say, take })
}

function ordersOf({ rows, wants }: Bounds): readonly Order['rows'][] {
  const choices = rows.map(({ atRisk }, row) =>
    Array.from({ length: atRisk + 1 }, (_, hold) => hold).flatMap((hold) =>
      (wants ? [false, true] : [false]).map((marks) => ({ row, hold, wants: marks })),
    ),
  )
  const alone = choices.flatMap((choice) => choice.map((one) => [one]))
  if (rows.length < 2) return alone
  const together = choices.reduce<Order['rows'][]>(
    (sofar, choice) => sofar.flatMap((rest) => choice.map((one) => [...rest, one])),
    [[]],
  )
  return [...alone, ...together]
}

function copiesOf({ network }: World, epoch: number | null): number {
  return network.filter((message) => message.kind === 'request' && message.batch.epoch === epoch).length
}

function hasHousework({ books }: World): boolean {
  const time = Math.max(books.wall, books.timeSeen)
  return (
    books.epochs.some(({ owner, held }) => (owner?.state === 'open' ? owner.expiresAt < time : held.some((units) => units > 0))) ||
    books.rows.some((row) => row !== null && row.keepUntil !== null && row.keepUntil < time)
  )
}

function forgetting(world: World, { epoch }: Epoch): World {
  const epochs = world.books.epochs.map((one) => (one.epoch === epoch ? { ...one, owner: null } : one))
  return { ...world, books: { ...world.books, epochs } }
}

function isSame(left: Message, right: Message): boolean {
  if (left.kind === 'request') return right.kind === 'request' && left.batch === right.batch
  return left === right
}

function sayMessage(message: Message): string {
  switch (message.kind) {
    case 'joined':
      return `epoch ${message.epoch} for ${NAMES[message.to]}`
    case 'request':
      return `batch ${message.batch.seq} of epoch ${message.batch.epoch}`
    case 'answer':
      return `the answer to batch ${message.batch.seq} of epoch ${message.batch.epoch}, ${message.answer.kind},`
  }
}

function sayOrder({ rows }: Bounds, { row, hold, wants }: Order['rows'][number]): string {
  return `, ${hold} of ${rows[row]?.key} to hold${wants ? ' and wanted' : ''}`
}
