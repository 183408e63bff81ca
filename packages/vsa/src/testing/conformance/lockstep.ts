import { invariant } from '../../core/errors.ts'
import type { Answer } from '../../core/exchange.ts'
import type { Joined, Store } from '../../core/store.ts'
import { leapMaxOf } from '../../core/store-clock.ts'
import { comparableAnswer, comparableJoin, comparableRows, firstDifference } from './comparable.ts'
import { allRows, assertBalanced } from './listed-rows.ts'
import { Model, type ModelTime } from './model.ts'
import { openStores, type OpenStores } from './open-stores.ts'
import { UPKEEP_DUE_MS, type Command } from './random-command.ts'
import { KEYS } from './random-credits.ts'
import { RandomOwners } from './random-owners.ts'
import type { MakeStore } from './runner.ts'

const START = 1_750_000_000_000
const LEASE_TTL_MS = 10_000

/** Runs the commands on a fresh store and on the model. Returns the first difference, with the command after which it was seen. */
export async function differenceAfter(
  makeStore: MakeStore,
  commands: readonly Command[],
  isTimeInjected: boolean,
): Promise<string | undefined> {
  let now = START
  const stores = await openStores(makeStore, { now: () => now, leaseTtlMs: LEASE_TTL_MS })
  try {
    const lockstep = new Lockstep(stores, isTimeInjected)
    for (const [step, command] of commands.entries()) {
      if (command.do === 'pass' || command.do === 'jump') {
        now += command.ms
        continue
      }
      const difference = await lockstep.run(command, isTimeInjected ? now : Date.now())
      if (command.do === 'close' || command.do === 'foreign') now += UPKEEP_DUE_MS
      if (difference !== undefined) return `step ${step}, ${JSON.stringify(command)}: ${difference}`
    }
    return undefined
  } catch (error) {
    return `it threw: ${String(error)}`
  } finally {
    await stores.dispose()
  }
}

/** Gives each command to the store and to the model, and compares what they answer. */
class Lockstep {
  readonly #stores: OpenStores
  readonly #isTimeInjected: boolean
  readonly #model = new Model(LEASE_TTL_MS)
  readonly #owners: RandomOwners
  #calls = 0

  constructor(stores: OpenStores, isTimeInjected: boolean) {
    this.#stores = stores
    this.#isTimeInjected = isTimeInjected
    this.#owners = new RandomOwners(isTimeInjected ? START : Date.now())
  }

  async run(command: Exclude<Command, { readonly do: 'pass' | 'jump' }>, now: number): Promise<string | undefined> {
    const difference = await this.#step(command, now)
    const rows = await allRows(this.#stores.store)
    assertBalanced(rows)
    return difference ?? this.#differenceInRows(rows)
  }

  async #step(command: Exclude<Command, { readonly do: 'pass' | 'jump' }>, now: number): Promise<string | undefined> {
    if (command.do === 'join') return this.#join(command.owner, now)
    return command.do === 'delete' ? this.#delete(KEYS[command.row] ?? 'a', now) : this.#exchange(command, now)
  }

  /** P6 */
  async #delete(key: string, now: number): Promise<undefined> {
    const handle = this.#nextHandle()
    const deleted = await handle.delete?.(key)
    invariant(deleted === true, `nothing here takes more than one deletion, got ${deleted}`)
    this.#model.delete(key, { time: now, clock: now })
  }

  async #join(owner: number, now: number): Promise<string | undefined> {
    const joined = await this.#nextHandle().join('test')
    this.#owners.joined(owner, joined)
    return this.#differenceInJoin(joined, now)
  }

  async #exchange(
    command: Exclude<Command, { readonly do: 'join' | 'delete' | 'pass' | 'jump' }>,
    now: number,
  ): Promise<string | undefined> {
    const handle = this.#nextHandle()
    const batch = this.#owners.batchFor(command)
    if (batch === undefined) return undefined
    const answer = await handle.exchange(batch)
    const expected = this.#model.exchange(batch, this.#timeFor(answer, now))
    this.#owners.answered(batch, answer)
    const difference = firstDifference(
      'answer',
      comparableAnswer(answer, this.#isTimeInjected),
      comparableAnswer(expected, this.#isTimeInjected),
    )
    return difference ?? (isRefused(answer) ? await this.#watcherJoins(handle, now) : undefined)
  }

  /** A store may keep the upkeep of a refused exchange or roll it back. After a join it is done in either case. */
  async #watcherJoins(handle: Store, now: number): Promise<string | undefined> {
    return this.#differenceInJoin(await handle.join('watcher'), now)
  }

  #differenceInJoin(joined: Joined, now: number): string | undefined {
    const expected = this.#model.join(this.#timeFor(joined, now), joined)
    return firstDifference(
      'join',
      comparableJoin(joined, this.#isTimeInjected),
      comparableJoin(expected, this.#isTimeInjected),
    )
  }

  #differenceInRows(rows: Parameters<typeof comparableRows>[0]): string | undefined {
    return firstDifference(
      'rows',
      comparableRows(rows, this.#isTimeInjected),
      comparableRows(this.#model.rows(), this.#isTimeInjected),
    )
  }

  /** The handles take turns. */
  #nextHandle(): Store {
    this.#calls += 1
    return this.#calls % 2 === 0 ? this.#stores.store : this.#stores.other
  }

  /** S1 leaves open, within bounds, how fast store time advances while it is ahead of its clock. The model follows the store there. */
  #timeFor({ time }: { readonly time: number }, now: number): ModelTime {
    const isAhead = this.#isTimeInjected && now < this.#model.timeSeen
    const isFollowed = isAhead && time <= this.#model.timeSeen + leapMaxOf(LEASE_TTL_MS)
    return { time: isFollowed ? time : now, clock: now }
  }
}

function isRefused({ kind }: Answer): boolean {
  return kind === 'stale' || kind === 'lost' || kind === 'breach'
}
