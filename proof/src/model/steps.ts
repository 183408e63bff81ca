import type { Bounds } from './bounds.ts'
import { Course } from './course.ts'
import type { Cause } from './graph.ts'
import { Memo } from './memo.ts'
import type { Moved, Order } from './owner-moves.ts'
import type { Production } from './production.ts'
import { nameOf, sayMessage, sayOrder } from './sayings.ts'
import type { Epoch, Message, Owner, World } from './world.ts'

/** One thing that may happen next. */
export interface Step {
  /** What it is, in words. */
  readonly say: () => string
  readonly cause: Cause
  /** @throws Violation when a law breaks on the way, or an error of the production code */
  readonly take: () => World
}

/** Every possible next step of a state, within the bounds. The order is fixed, so that a number identifies a step. */
export class Steps {
  readonly #bounds: Bounds
  readonly #course: Course
  readonly #orders: readonly Order[]

  constructor(production: Production, bounds: Bounds) {
    this.#bounds = bounds
    this.#course = new Course(production, bounds)
    this.#orders = ordersOf(bounds)
  }

  get first(): World {
    return this.#course.first
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
    const { session, closing, leases, requests } = owner
    if (session.firstEpoch === null || session.batch?.close === true) return
    const mayAsk = !closing
    for (const [row, lease] of leases.entries()) {
      const key = bounds.rows[row]?.key
      for (const units of bounds.costs)
        if (mayAsk && lease.left >= units)
          this.#moving(steps, world, at, `a${row}${units}`, {
            cause: 'caller',
            say: (name) => `${name} admits ${units} of ${key} from its lease`,
            move: () => this.#course.moves.admit(owner, row, units),
          })
      if (lease.owed + (lease.sent?.refund ?? 0) < bounds.refundsMax)
        this.#moving(steps, world, at, `r${row}`, {
          cause: 'caller',
          say: (name) => `a caller refunds 1 of ${key} to ${name}`,
          move: () => this.#course.moves.refund(owner, row, 1),
        })
    }
    if (mayAsk && requests.length < bounds.requestsMax)
      for (const needs of bounds.needs)
        this.#moving(steps, world, at, `n${needs.join('+')}`, {
          cause: 'caller',
          say: (name) => `a caller requests ${needs.join(' and ')} from ${name}, durably`,
          move: () => this.#course.moves.ask(owner, needs),
        })
    if (mayAsk && leases[0]?.mint === null)
      for (const units of bounds.mints)
        this.#moving(steps, world, at, `m${units}`, {
          cause: 'caller',
          say: (name) => `a caller asks ${name} to mint ${units}`,
          move: () => this.#course.moves.mint(owner, units),
        })
    for (const [index, request] of requests.entries())
      if (bounds.timeouts && !request.told)
        this.#moving(steps, world, at, `t${index}`, {
          cause: 'caller',
          say: (name) => `a request of ${name} times out`,
          move: () => this.#course.moves.giveUp(owner, index),
        })
  }

  #ofOwner(steps: Step[], world: World, at: number, owner: Owner): void {
    const { session, closing } = owner
    const { state, epoch, batch } = session
    if (state === 'joining') {
      const joins = world.network.filter((message) => message.kind === 'joined' && message.to === at).length
      if (joins < this.#bounds.joinsMax)
        add(
          steps,
          'course',
          () => `${nameOf(at)} joins`,
          () => this.#course.join(world, at),
        )
    }
    const hasWay = copiesOf(world, epoch) < this.#bounds.attemptsMax
    if (state === 'ready' && hasWay)
      for (const [index, order] of this.#ordersOf(owner).entries())
        this.#moving(steps, world, at, `s${index}`, {
          cause: order.rows.some((row) => row.wants) ? 'caller' : 'course',
          say: (name) => `${name} sends ${sayOrder(this.#bounds, order)}`,
          move: () => this.#course.moves.send(owner, order),
        })
    if (batch !== null && hasWay)
      this.#moving(steps, world, at, 'again', {
        cause: 'course',
        say: (name) => `${name} sends batch ${batch.seq} again`,
        move: () => this.#course.moves.resend(owner),
      })
    if (this.#bounds.closes && epoch !== null && !closing)
      this.#moving(steps, world, at, 'close', {
        cause: 'course',
        say: (name) => `${name} begins to close`,
        move: () => this.#course.moves.close(owner),
      })
    if (this.#bounds.crashes && session.firstEpoch !== null && lateWithout(world, at) <= this.#bounds.lateMax)
      add(
        steps,
        'fault',
        () => `${nameOf(at)} crashes`,
        () => this.#course.crash(world, at),
      )
  }

  /** A step of one owner, computed once for all states that contain this owner. */
  #moving(steps: Step[], world: World, at: number, key: string, { cause, say, move }: Move): void {
    const owner = world.owners[at]
    if (owner === undefined) return
    add(
      steps,
      cause,
      () => say(nameOf(at)),
      () => this.#course.move(world, at, owner.memo.recall(key, move)),
    )
  }

  /** What may go in the next batch. A closing owner asks for no lease, and closes with a batch whose answer no request waits for. */
  #ordersOf({ closing, requests, leases }: Owner): readonly Order[] {
    if (!closing) return this.#orders
    const isAwaited = requests.length > 0 || leases.some(({ mint }) => mint !== null)
    const rows = leases.map((_lease, row) => ({ row, hold: 0, wants: false }))
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
    add(steps, 'fault', say('is lost'), () => this.#course.lose(without()))
    switch (message.kind) {
      case 'joined':
        add(steps, 'course', say('arrives'), () => this.#course.joined(without(), message.to, message.epoch))
        return
      case 'answer':
        add(steps, 'course', say('arrives'), () => this.#course.hear(without(), message, false))
        if (message.batch.entries.some((entry) => entry.kind === 'budget' && entry.refund > 0))
          add(steps, 'course', say('arrives, and the refund that it does not accept is given up'), () =>
            this.#course.hear(without(), message, true),
          )
        return
      case 'request': {
        const { batch } = message
        if (answersTo(world, batch.epoch) >= this.#bounds.answersMax) return
        add(steps, 'course', say('arrives'), () => this.#course.exchange(without(), batch, true))
        if (this.#bounds.duplicates)
          add(steps, 'fault', say('arrives, and a duplicate stays in the network'), () =>
            this.#course.exchange(world, batch, true),
          )
        if (this.#bounds.lazyStore && hasHousework(world))
          add(steps, 'fault', say('arrives, and the store delays its upkeep'), () =>
            this.#course.exchange(without(), batch, false),
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
        'course',
        () => `${tickMs} ms pass`,
        () => atTime(world, books.wall + tickMs),
      )
    if (world.jumps < jumpsMax && books.wall > 0)
      add(
        steps,
        'fault',
        () => 'the clock of the store is set back',
        () => ({ ...atTime(world, 0), jumps: world.jumps + 1 }),
      )
    for (const epoch of books.epochs)
      if (forgets && epoch.owner?.state === 'closed' && epoch.held.every((units) => units === 0))
        add(
          steps,
          'fault',
          () => `the store forgets epoch ${epoch.epoch}`,
          () => forgetting(world, epoch),
        )
  }
}

interface Move {
  readonly cause: Cause
  readonly say: (name: string) => string
  readonly move: () => Moved
}

function add(steps: Step[], cause: Cause, say: () => string, take: () => World): void {
  steps.push({ cause, say, take })
}

/** The leases that a batch may ask for, of all rows at once. */
function ordersOf({ rows, wants }: Bounds): readonly Order[] {
  const choices = rows.map(({ atRisk }, row) =>
    Array.from({ length: atRisk + 1 }, (_, hold) => hold).flatMap((hold) =>
      (wants ? [false, true] : [false]).map((marks) => ({ row, hold, wants: marks })),
    ),
  )
  const together = choices.reduce<readonly Order['rows'][]>(
    (sofar, choice) => sofar.flatMap((rest) => choice.map((one) => [...rest, one])),
    [[]],
  )
  return together.map((order) => ({ rows: order, close: false }))
}

/** Requests in the network without an owner, if this owner crashes. */
function lateWithout({ network, owners }: World, at: number): number {
  const isLive = (epoch: number): boolean =>
    owners.some((owner, index) => index !== at && owner.session.epoch === epoch)
  return network.filter((message) => message.kind === 'request' && !isLive(message.batch.epoch)).length
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

/** Answers in the network for the owner of an epoch. */
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
