import { open, VsaError } from '../../src/index.ts'
import type { Budget, Decision, Policy, Vsa, VsaEvent } from '../../src/index.ts'
import type { ListedRow, Store } from '../../src/core/store.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock, seededRandom } from '../../src/testing/index.ts'
import type { FaultRates, FaultyStore, ManualClock, Random } from '../../src/testing/index.ts'
import { oneOf, wholeBetween } from '../../src/testing/random.ts'
import { failOnBug, periodOf } from './fixture.ts'

const LEASE_TTL_MS = 3_000

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
  readonly rates: FaultRates
  /** It takes requests: neither crashed nor closed. */
  alive: boolean
  crashed: boolean
}

/** What callers were answered, by row. */
interface Answered {
  admitted: number
  refunded: number
}

/** Several owners on one store, faults between them, and a record of the answers to callers that is independent of the engine. */
export class World {
  readonly clock: ManualClock = manualClock()
  readonly random: Random
  readonly books: Store
  readonly answered = new Map<string, Answered>()
  readonly events: VsaEvent[] = []
  readonly trace: string[] = []
  /** What was added to each counter. */
  readonly added = new Map<string, number>()
  /** Every owner, also those that crashed or were closed. */
  owners: Owner[] = []
  pending = 0
  /** A close was not confirmed: what that owner held is burned. */
  ambiguous = false
  #names = 0
  #mints = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.books = memory({ now: () => this.clock.now(), leaseTtlMs: LEASE_TTL_MS })
  }

  start(rates: FaultRates = {}): Owner {
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
        failOnBug(event)
        this.trace.push(`${name} event ${JSON.stringify(event)}`)
      },
    })
    const owner = { vsa, net, name, rates, alive: true, crashed: false }
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
    if (what < 0.3) this.#decide(owner, budget, units)
    else if (what < 0.55) this.#tryMany(budget, key)
    else if (what < 0.64) this.#refund(budget, units)
    else if (what < 0.68) this.#all(owner, units)
    else if (what < 0.7) this.#flush(owner)
    else if (what < 0.72) this.#add(owner, units)
    else if (what < 0.73) this.#mint(owner, units)
    else if (what < 0.735) this.#restart(owner)
    else await this.clock.advance(wholeBetween(this.random, 1, 160))
  }

  #decide(owner: Owner, budget: Budget, units: number): void {
    const durable = this.random() < 0.2
    const deadlineMs = this.random() < 0.15 ? wholeBetween(this.random, 1, 400) : 1_500
    const abort = new AbortController()
    if (this.random() < 0.1)
      this.clock.timer(wholeBetween(this.random, 0, 300), () => abort.abort(new VsaError('timeout', 'aborted')))
    const options = { deadlineMs, signal: abort.signal, ...(durable ? { durable } : {}) }
    this.#watch(
      `${owner.name} decide ${budget.key} ${units} ${durable} ${deadlineMs}`,
      budget.decide(units, options),
      (decision) => this.#count(budget.key, periodOf(decision), units),
    )
  }

  /** One window at most, and first: a decision has the period of the first need only. */
  #all(owner: Owner, units: number): void {
    const keys = oneOf(this.random, [
      ['seats', 'credits'],
      ['minute', 'seats'],
      ['wide', 'credits', 'seats'],
    ])
    const needs = keys.map((key) => [this.budgetOf(owner, key), units] as const)
    this.#watch(`${owner.name} all ${keys.join()} ${units}`, owner.vsa.decideAll(needs), (decision) => {
      for (const [index, key] of keys.entries()) this.#count(key, index === 0 ? periodOf(decision) : 0, units)
    })
  }

  #flush(owner: Owner): void {
    const returnLeases = this.random() < 0.5
    this.trace.push(`${owner.name} flush ${returnLeases}`)
    owner.vsa.flush({ returnLeases, deadlineMs: 1_500 }).catch(onlyVsaError)
  }

  #add(owner: Owner, units: number): void {
    const key = oneOf(this.random, ['likes', 'views'])
    const add = this.random() < 0.4 ? -units : units
    owner.vsa.counter(key).add(add)
    this.added.set(key, (this.added.get(key) ?? 0) + add)
    if (this.random() < 0.3) owner.vsa.counter(key).read().catch(onlyVsaError)
  }

  #mint(owner: Owner, units: number): void {
    const id = this.random() < 0.3 ? 'again' : `mint-${(this.#mints += 1)}`
    this.trace.push(`${owner.name} mint ${id}`)
    this.budgetOf(owner, 'credits')
      .mint(id === 'again' ? 2 : units, { id })
      .catch(onlyVsaError)
  }

  /** A deploy: the old process closes while a new one starts. */
  #restart(owner: Owner): void {
    this.close(owner)
    this.start(owner.rates)
  }

  close(owner: Owner): void {
    owner.alive = false
    this.trace.push(`${owner.name} closes`)
    this.pending += 1
    owner.vsa.close().then(
      () => (this.pending -= 1),
      (error: unknown) => {
        this.pending -= 1
        this.ambiguous = true
        onlyVsaError(error)
      },
    )
  }

  #tryMany(budget: Budget, key: string): void {
    if (key === 'seats') return
    const times = wholeBetween(this.random, 1, 12)
    for (let time = 0; time < times; time += 1) {
      if (!budget.tryAdmit()) continue
      const period = (budget as unknown as { row: { window: { start: number } } }).row.window.start
      const answered = this.#count(budget.key, period, 1)
      if (this.random() > 0.2) continue
      budget.refund()
      answered.refunded += 1
    }
  }

  /** Only what was admitted is refunded here, so that the record is exact. */
  #refund(budget: Budget, units: number): void {
    const rows = [...this.answered].filter(
      ([name, answered]) => name.endsWith(`:${budget.key}`) && answered.admitted - answered.refunded >= units,
    )
    const [name, answered] = rows[wholeBetween(this.random, 0, rows.length - 1)] ?? []
    if (name === undefined || answered === undefined) return
    answered.refunded += units
    this.trace.push(`refund ${name} ${units}`)
    const period = Number(name.slice(0, name.indexOf(':')))
    if (period === 0 && this.random() < 0.5) budget.refund(units)
    else budget.refund(units, { period })
  }

  #count(key: string, period: number, units: number): Answered {
    const name = `${period}:${key}`
    const answered = this.answered.get(name) ?? { admitted: 0, refunded: 0 }
    answered.admitted += units
    this.answered.set(name, answered)
    return answered
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

  /** The process is gone: it reaches the store no more, and gets no answers. */
  crash(owner: Owner): void {
    owner.net.cut('hang')
    owner.alive = false
    owner.crashed = true
    this.trace.push(`${owner.name} crashes`)
    // Its callers died with it: only what they were answered before counts.
    this.pending = 0
  }

  /** The clock of the store's machine is set. */
  jump(): void {
    const ms = wholeBetween(this.random, -5_000, 5_000)
    this.trace.push(`the store's clock jumps by ${ms}`)
    this.clock.jumpWall(ms)
  }

  /** The faults end: what is in flight is answered. */
  heal(): void {
    for (const { crashed, net } of this.owners) {
      if (crashed) continue
      net.setRates({})
      net.heal()
    }
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
      const answered = this.answered.get(`${period}:${key}`)
      if (answered !== undefined && answered.admitted - answered.refunded > minted) {
        throw new Error(`L1: ${JSON.stringify(answered)} of ${JSON.stringify(budget)}`)
      }
    }
  }
}

function onlyVsaError(error: unknown): void {
  if (!(error instanceof VsaError)) throw error
}
