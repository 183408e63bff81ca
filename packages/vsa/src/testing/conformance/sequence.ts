import { invariant } from '../../core/errors.ts'
import type { Answer, RowName } from '../../core/exchange.ts'
import type { ListedRow } from '../../core/store.ts'
import { leapMaxOf } from '../../core/store-clock.ts'
import { drawCommands, PASS_LEAST_MS, type Command } from './command.ts'
import { Model } from './model.ts'
import { Players } from './players.ts'
import type { ConformanceOptions, MakeStore, StoreUnderTest } from './runner.ts'
import { seededRandom } from '../random.ts'
import { allRows, assertBalanced } from './scene.ts'

const START = 1_750_000_000_000
const LEASE_TTL_MS = 10_000
const COMMANDS = 60
/** Times a failing sequence is run again to shorten it. */
const SHORTENING_RUNS_MAX = 300

/** Runs random command sequences on fresh stores and on the model. @throws the first difference, with its seed and the shortest sequence found */
export async function compareWithModel(makeStore: MakeStore, options: ConformanceOptions): Promise<void> {
  const isTimed = options.time !== 'own'
  const first = options.seed ?? 1
  for (let seed = first; seed < first + (options.sequences ?? 60); seed++) {
    const commands = drawCommands(seededRandom(seed), COMMANDS, isTimed)
    const difference = await differenceIn(makeStore, commands, isTimed)
    if (difference === undefined) continue
    const shortest = await shorten(makeStore, commands, isTimed)
    const said = (await differenceIn(makeStore, shortest, isTimed)) ?? difference
    invariant(false, `seed ${seed}: ${said}\nafter:\n${shortest.map((command) => JSON.stringify(command)).join('\n')}`)
  }
}

/** Leaves out halves, quarters, and at last single commands, as long as a difference remains. */
async function shorten(
  makeStore: MakeStore,
  commands: readonly Command[],
  isTimed: boolean,
): Promise<readonly Command[]> {
  let shortest = commands
  let runs = 0
  for (let size = Math.ceil(commands.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < shortest.length && runs < SHORTENING_RUNS_MAX; runs++) {
      const shorter = shortest.toSpliced(at, size)
      if ((await differenceIn(makeStore, shorter, isTimed)) === undefined) at += size
      else shortest = shorter
    }
  }
  return shortest
}

async function differenceIn(
  makeStore: MakeStore,
  commands: readonly Command[],
  isTimed: boolean,
): Promise<string | undefined> {
  let now = START
  const made = await makeStore({ now: () => now, leaseTtlMs: LEASE_TTL_MS })
  try {
    const game = await gameOf(made, isTimed)
    for (const [step, command] of commands.entries()) {
      if (command.do === 'pass' || command.do === 'jump') {
        now += command.ms
        continue
      }
      await game.play(command, isTimed ? now : Date.now())
      if (command.do === 'close') now += PASS_LEAST_MS
      const difference = await game.difference()
      if (difference !== undefined) return `step ${step}, ${JSON.stringify(command)}: ${difference}`
    }
    return undefined
  } catch (error) {
    return `it threw: ${String(error)}`
  } finally {
    await made.dispose()
  }
}

interface Game {
  play(command: Exclude<Command, { readonly do: 'pass' | 'jump' }>, now: number): Promise<void>
  difference(): Promise<string | undefined>
}

async function gameOf(made: StoreUnderTest, isTimed: boolean): Promise<Game> {
  const other = await made.another()
  const model = new Model(LEASE_TTL_MS)
  const players = new Players(isTimed ? START : Date.now())
  let told: string | undefined
  let turns = 0
  /** S1: how fast store time goes on while it is ahead of the clock is the store's own affair, within bounds: the model follows it. */
  const timeFor = ({ time }: { readonly time: number }, now: number): number => {
    const isAhead = isTimed && now < model.timeSeen
    return isAhead && time <= model.timeSeen + leapMaxOf(LEASE_TTL_MS) ? time : now
  }
  return {
    async play(command, now) {
      const store = (turns += 1) % 2 === 0 ? made.store : other
      if (command.do === 'join') {
        const joined = await store.join('test')
        const time = timeFor(joined, now)
        told = firstDifference('join', comparable(joined, isTimed), comparable(model.join(time), isTimed))
        players.joined(command.owner, joined)
        return
      }
      const batch = players.batchFor(command)
      if (batch === undefined) return
      const answer = await store.exchange(batch)
      const expected = model.exchange(batch, timeFor(answer, now))
      told = firstDifference('answer', comparable(answer, isTimed), comparable(expected, isTimed))
      players.answered(batch, answer)
      // A refused exchange may take its housekeeping back with it, or keep it. A join does it for sure.
      if (isRefused(answer)) {
        const joined = await store.join('watcher')
        const time = timeFor(joined, now)
        told ??= firstDifference('join', comparable(joined, isTimed), comparable(model.join(time), isTimed))
      }
    },
    async difference() {
      const rows = await allRows(made.store)
      assertBalanced(rows)
      return told ?? firstDifference('rows', sorted(rows, isTimed), sorted(model.rows(), isTimed))
    },
  }
}

function isRefused({ kind }: Answer): boolean {
  return kind === 'stale' || kind === 'lost' || kind === 'breach'
}

function firstDifference(what: string, got: unknown, expected: unknown): string | undefined {
  if (canonical(got) === canonical(expected)) return undefined
  return `${what}: the store says ${JSON.stringify(got)}, the model ${JSON.stringify(expected)}`
}

/** As any wire would bring it, with what has no order put in order; without times, where the store has a time of its own. */
function comparable(answer: Answer | { readonly time: number }, isTimed: boolean): unknown {
  const { time, ...rest } = wired(answer) as Answer
  if (rest.kind === 'breach') return { time: isTimed ? time : 0, kind: rest.kind, row: rest.row }
  if (rest.kind !== 'applied' && rest.kind !== 'replayed') return { time: isTimed ? time : 0, ...rest }
  const times = isTimed ? { time, expiresAt: rest.expiresAt } : { time: 0, expiresAt: 0 }
  return { ...rest, ...times, wanted: rest.wanted.toSorted(byName) }
}

function sorted(rows: readonly ListedRow[], isTimed: boolean): unknown {
  const inOrder = rows.toSorted((a, b) => byName(a.budget, b.budget))
  return wired(
    inOrder.map(({ budget, leases }) => ({
      budget: isTimed ? budget : { ...budget, wantedUntil: 0 },
      leases: leases.toSorted((a, b) => a.epoch - b.epoch),
    })),
  )
}

function byName(a: RowName, b: RowName): number {
  if (a.key !== b.key) return a.key < b.key ? -1 : 1
  return a.period - b.period
}

function wired(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** Equal for equal data, whatever the order of its properties. */
function canonical(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
