import { open, VsaError } from '../../src/index.ts'
import type { Budget, Decision, Policy, StoreError, Vsa, VsaEvent } from '../../src/index.ts'
import type { ListedRow, Store } from '../../src/core/store.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock, seededRandom } from '../../src/testing/index.ts'
import type { FaultyStore, ManualClock, Random } from '../../src/testing/index.ts'
import { oneOf, wholeBetween } from '../../src/testing/random.ts'

export const LEASE_TTL_MS = 3_000

const POLICIES: Readonly<Record<string, Policy>> = {
  minute: { limit: 60, per: 2_000, atRisk: 12 },
  wide: { limit: 400, per: 5_000 },
  seats: { initial: 40 },
  credits: { initial: 50, atRisk: 9 },
}

interface Owner {
  readonly vsa: Vsa
  readonly net: FaultyStore
  readonly name: string
  alive: boolean
}

/** What callers were told, by row. */
interface Told {
  admitted: number
  refunded: number
}

/** Several owners on one store, faults between them, and an account of what callers were told that is independent of the engine. */
export class World {
  readonly clock: ManualClock = manualClock()
  readonly random: Random
  readonly books: Store
  readonly told = new Map<string, Told>()
  readonly events: VsaEvent[] = []
  readonly trace: string[] = []
  owners: Owner[] = []
  pending = 0
  #names = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.books = memory({ now: () => this.clock.now(), leaseTtlMs: LEASE_TTL_MS })
  }

  start(rates = {}): Owner {
    const net = faultyStore(this.books, { clock: this.clock, random: this.random, rates, delayMsMax: 700 })
    const name = `owner-${(this.#names += 1)}`
    const vsa = open({
      store: net,
      clock: this.clock,
      random: this.random,
      label: name,
      deadlineMs: 1_500,
      exchangeTimeoutMs: 300,
      onEvent: (event) => {
        this.events.push(event)
        this.trace.push(`${name} event ${JSON.stringify(event)}`)
      },
    })
    const owner = { vsa, net, name, alive: true }
    this.owners.push(owner)
    return owner
  }

  budgetOf(owner: Owner, key: string): Budget {
    const policy = POLICIES[key]
    if (policy === undefined) throw new Error(`no policy for ${key}`)
    return owner.vsa.budget(key, policy)
  }

  async step(): Promise<void> {
    const alive = this.owners.filter((owner) => owner.alive)
    const owner = alive[wholeBetween(this.random, 0, alive.length - 1)]
    if (owner === undefined) return
    const key = oneOf(this.random, ['minute', 'wide', 'seats', 'credits'])
    const budget = this.budgetOf(owner, key)
    const units = wholeBetween(this.random, 1, 4)
    const what = this.random()
    if (what < 0.35) this.#decide(owner, budget, units, this.random() < 0.2)
    else if (what < 0.6) this.#tryMany(budget, key)
    else if (what < 0.7) this.#refund(budget, units)
    else if (what < 0.75) this.#all(owner, units)
    else await this.clock.advance(wholeBetween(this.random, 1, 160))
  }

  #decide(owner: Owner, budget: Budget, units: number, durable: boolean): void {
    this.#watch(
      `${owner.name} decide ${budget.key} ${units} ${durable}`,
      budget.decide(units, durable ? { durable } : {}),
      (decision) => this.#count(budget.key, decision.period, units),
    )
  }

  #all(owner: Owner, units: number): void {
    const keys = ['seats', 'minute'] as const
    const needs = keys.map((key) => [this.budgetOf(owner, key), units] as const)
    const period = 2_000 * Math.floor(this.clock.now() / 2_000)
    // The period of the second need is not in the record: only budgets without windows are counted to the unit here.
    void period
    const credits = [
      [this.budgetOf(owner, 'seats'), units],
      [this.budgetOf(owner, 'credits'), units],
    ] as const
    void needs
    this.#watch(`${owner.name} all ${units}`, owner.vsa.decideAll(credits), () => {
      this.#count('seats', 0, units)
      this.#count('credits', 0, units)
    })
  }

  #tryMany(budget: Budget, key: string): void {
    if (key === 'seats') return
    const times = wholeBetween(this.random, 1, 12)
    for (let time = 0; time < times; time += 1) {
      if (!budget.tryAdmit()) continue
      const period = (budget as unknown as { account: { window: { start: number } } }).account.window.start
      this.#count(budget.key, period, 1)
    }
  }

  /** Only what was admitted is refunded here, so that the strict account stays strict. */
  #refund(budget: Budget, units: number): void {
    const rows = [...this.told].filter(([name, told]) => name.endsWith(`:${budget.key}`) && told.admitted - told.refunded >= units)
    const [name, told] = rows[wholeBetween(this.random, 0, rows.length - 1)] ?? []
    if (name === undefined || told === undefined) return
    told.refunded += units
    this.trace.push(`refund ${name} ${units}`)
    budget.refund(units, { period: Number(name.slice(0, name.indexOf(':'))) })
  }

  #count(key: string, period: number, units: number): void {
    const name = `${period}:${key}`
    const told = this.told.get(name) ?? { admitted: 0, refunded: 0 }
    told.admitted += units
    this.told.set(name, told)
  }

  #watch(what: string, asked: Promise<Decision>, admitted: (decision: Decision) => void): void {
    this.pending += 1
    this.trace.push(what)
    asked.then(
      (decision) => {
        this.pending -= 1
        this.trace.push(`${what} => ${decision.admitted ? 'admitted' : decision.reason}`)
        if (decision.admitted) admitted(decision)
      },
      (error: unknown) => {
        this.pending -= 1
        this.trace.push(`${what} => ${String(error)}`)
        if (!(error instanceof VsaError)) throw error
      },
    )
  }

  /** The process is gone: nothing of it reaches the store any more, and nobody hears its answers. */
  crash(owner: Owner): void {
    owner.net.cut('hang')
    owner.alive = false
    this.trace.push(`${owner.name} crashes`)
    // Its callers died with it: what they would be told counts for nobody. Only what they were told before does.
    this.pending = 0
  }

  async rows(): Promise<readonly ListedRow[]> {
    return (await this.books.list({ limit: 10_000 })).rows
  }

  /** L1 and L2 for every row, now. Refunds count from the call, which is the weaker claim for L1: the stricter one is at the end. */
  async check(): Promise<void> {
    for (const { budget, leases } of await this.rows()) {
      const held = leases.reduce((sum, lease) => sum + lease.held, 0)
      const { minted, used, pool, burned, key, period } = budget
      if (minted !== used + pool + burned + held) throw new Error(`L2: ${JSON.stringify(budget)} held ${held}`)
      const told = this.told.get(`${period}:${key}`)
      if (told !== undefined && told.admitted - told.refunded > minted) {
        throw new Error(`L1: ${JSON.stringify(told)} of ${JSON.stringify(budget)}`)
      }
    }
  }
}

export function isStoreError(error: unknown): error is StoreError {
  return error instanceof Error && error.name === 'StoreError'
}
