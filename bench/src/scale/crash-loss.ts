import { open, type Budget, type Policy, type Store } from 'vsa'
import { memory } from 'vsa/memory'
import { manualClock, seededRandom, type ManualClock } from 'vsa/testing'
import { countedStore, passedOn } from '../measure/counted-store.ts'
import { until } from '../measure/until.ts'

const KEY = 'crash'
const LIMIT = 10_000_000
const LEASE_TTL_MS = 10_000
const PORTION_EVERY_MS = 10
/** 10,000 operations/s. */
const PORTION = 100
/** Before it leases have reached their size. */
const EARLIEST_MS = 1_000
const LATEST_MS = 1_500

/** What a crash of one process costs with so many units at risk, over crashes at random moments. */
export interface CrashLoss {
  readonly atRisk: number
  readonly crashes: number
  /** Units that count as spent afterwards and are never given again. */
  readonly burnedMean: number
  readonly burnedMost: number
  /** Of those, units that were not admitted: what the users lose. */
  readonly unusedMean: number
  /** Exchanges for a thousand operations, until the crash. */
  readonly callsPerThousand: number
}

/** One owner asks for 10,000 units a second of one key, and is cut off between two portions. Another one finds out what is left. */
export async function crashLoss(atRisk: number, crashes: number): Promise<CrashLoss> {
  const all: Crash[] = []
  for (let seed = 1; seed <= crashes; seed += 1) all.push(await crash(atRisk, seededRandom(seed)))
  const sum = (of: (one: Crash) => number): number => all.reduce((total, one) => total + of(one), 0)
  return {
    atRisk,
    crashes,
    burnedMean: sum((one) => one.burned) / crashes,
    burnedMost: Math.max(...all.map((one) => one.burned)),
    unusedMean: sum((one) => one.unused) / crashes,
    callsPerThousand: (1_000 * sum((one) => one.exchanges)) / sum((one) => one.operations),
  }
}

interface Crash {
  readonly burned: number
  readonly unused: number
  readonly exchanges: number
  readonly operations: number
}

async function crash(atRisk: number, random: () => number): Promise<Crash> {
  const clock = manualClock()
  const books = memory({ leaseTtlMs: LEASE_TTL_MS })
  const { store, counts } = countedStore(books, { sizes: false })
  const mortal = mortalStore(store)
  // A limit of which no share of burned units makes the budget durable.
  const policy: Policy = { initial: LIMIT, atRisk, burnMax: LIMIT }
  const victim = open({ store: mortal.store, clock, random, onEvent: () => undefined })
  const budget = victim.budget(KEY, policy)
  await until(victim.ready(), clock)
  const diesAtMs = EARLIEST_MS + Math.floor(random() * (LATEST_MS - EARLIEST_MS))
  let told = 0
  let operations = 0
  for (let ms = 0; ms < diesAtMs; ms += PORTION_EVERY_MS) {
    told += await until(admitted(budget, PORTION), clock)
    operations += PORTION
    await clock.advance(Math.min(PORTION_EVERY_MS, diesAtMs - ms))
  }
  mortal.kill()
  const { exchanges } = counts
  const { burned, used } = await inherit(books, clock, policy)
  await ended(victim.close({ deadlineMs: 1 }), clock)
  if (used + burned < told) throw new Error(`${told} were told of, and ${used} used and ${burned} burned`)
  return { burned, unused: used + burned - told, exchanges, operations }
}

async function admitted(budget: Budget, units: number): Promise<number> {
  return (await Promise.all(Array.from({ length: units }, () => budget.admit()))).filter(Boolean).length
}

/** The victim's epoch ends when its time is over; the next owner's exchange burns what it held. */
async function inherit(books: Store, clock: ManualClock, policy: Policy): Promise<{ burned: number; used: number }> {
  const heir = open({ store: books, clock, random: () => 0.5, onEvent: () => undefined })
  await until(heir.ready(), clock)
  await clock.advance(LEASE_TTL_MS + 1_000)
  const first = await until(heir.budget(KEY, policy).admit(1, { durable: true }), clock)
  await until(heir.close(), clock)
  const [row] = await books.read([{ key: KEY, period: 0 }])
  if (!first || row === undefined) throw new Error('the budget was not inherited')
  return { burned: row.burned, used: row.used - 1 }
}

/** A store whose calls are never answered any more, once the process that makes them is dead. */
function mortalStore(store: Store): { readonly store: Store; readonly kill: () => void } {
  let isDead = false
  const never = new Promise<never>(() => undefined)
  const whileAlive = async <T>(call: () => Promise<T>): Promise<T> => (isDead ? never : call())
  const mortal: Store = {
    ...passedOn(store),
    exchange: (batch) => whileAlive(() => store.exchange(batch)),
    join: (label) => whileAlive(() => store.join(label)),
    read: (names) => whileAlive(() => store.read(names)),
    upkeep: (caller) => whileAlive(async () => store.upkeep?.(caller) ?? null),
  }
  return { store: mortal, kill: () => void (isDead = true) }
}

/** The close of a dead process fails, and only ends its timers. */
async function ended(close: Promise<void>, clock: ManualClock): Promise<void> {
  await until(
    close.catch(() => undefined),
    clock,
  )
}
