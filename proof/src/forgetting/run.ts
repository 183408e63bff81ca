import { manualClock, type ManualClock } from 'vsa/testing'
import type { Budget, Policy } from '../../../packages/vsa/dist/index.js'
import type { Library } from '../simulation/library.ts'
import { Rng } from '../simulation/rng.ts'
import { must } from '../simulation/violation.ts'
import { ForgetfulOwner } from './owner.ts'
import { ForgetfulStore, LEASE_TTL_MS } from './store.ts'

const POLICIES = {
  seat: { initial: 1 },
  seats: { initial: 9 },
  credits: { initial: 12, atRisk: 6 },
} as const satisfies Record<string, Policy>
const KEYS = ['seat', 'seats', 'credits'] as const
type Key = (typeof KEYS)[number]

const STEPS = 120

/** What one run did. */
export interface ForgettingRun {
  readonly losses: number
  readonly admitted: number
  /** Units that may be admitted twice, because their owner did not reach the store in time. */
  readonly allowed: number
}

/**
 * Owners on a store that loses its last writes now and then, under faults of the network, kills, partitions and reaping. Checks L1 under the promise of
 * section 5 of stores.md, and L2, L5, F1 to F3, F6 and F7. The same seed gives the same run.
 * @throws Violation
 */
export async function runForgetting(library: Library, seed: number): Promise<ForgettingRun> {
  const run = new Run(library, seed)
  for (let step = 0; step < STEPS; step += 1) await run.step()
  return run.end()
}

class Run {
  readonly #library: Library
  readonly #rng: Rng
  readonly #seed: number
  readonly #clock: ManualClock = manualClock()
  readonly #store: ForgetfulStore
  readonly #owners: ForgetfulOwner[] = []
  /** Admitted and not refunded, by budget. */
  readonly #net: Record<Key, number> = { seat: 0, seats: 0, credits: 0 }
  readonly #minted: Record<Key, number> = { seat: 0, seats: 0, credits: 0 }
  #admitted = 0
  #mints = 0
  #error: Error | null = null

  constructor(library: Library, seed: number) {
    this.#library = library
    this.#seed = seed
    this.#rng = new Rng(seed, 'forgetting')
    this.#store = new ForgetfulStore(library, () => this.#clock.now())
    this.#start()
    this.#start()
  }

  async step(): Promise<void> {
    const rng = this.#rng
    const owner = rng.pickAny(this.#owners.filter(({ serves }) => serves)) ?? this.#start()
    const key = rng.pick(KEYS)
    const budget = owner.vsa.budget(key, POLICIES[key])
    const what = rng.random()
    if (what < 0.3) this.#ask(owner, key, budget)
    else if (what < 0.42) this.#try(owner)
    else if (what < 0.47) this.#refund(budget, key)
    else if (what < 0.48) this.#mint(budget, key)
    else if (what < 0.51) this.#store.bury(owner.vsa.stats().epoch ?? 0)
    else if (what < 0.535) this.#partition(owner)
    else if (what < 0.545) this.#kill(owner)
    else if (what < 0.555) this.#close(owner)
    else if (what < 0.59) this.#store.forget(rng.pick([0, 1, 2, 3, 5, 9]))
    else await this.#pass(rng.pick([1, 20, 60, 150, 400, LEASE_TTL_MS / 2, LEASE_TTL_MS]))
    if (what >= 0.59) await this.#check()
  }

  /** Everything heals. What is left is admitted to the unit, and no more (L5). */
  async end(): Promise<ForgettingRun> {
    for (const { net, isDead } of this.#owners) {
      net.setRates({})
      if (!isDead) net.heal()
    }
    for (let passed = 0; passed < 12 * LEASE_TTL_MS; passed += LEASE_TTL_MS / 4) await this.#pass(LEASE_TTL_MS / 4)
    await this.#check()
    const living = this.#owners.filter(({ serves }) => serves)
    const closed = Promise.allSettled(living.map(({ vsa }) => vsa.close({ deadlineMs: 8 * LEASE_TTL_MS })))
    for (const owner of living) owner.serves = false
    await this.#pass(9 * LEASE_TTL_MS)
    await this.#check()
    const failed = (await closed).find(({ status }) => status === 'rejected')
    must(failed === undefined, 'L5', () => `a close failed: ${JSON.stringify(failed)}`)
    const last = this.#start({ isHonest: true })
    for (const { budget } of (await this.#store.rows()).rows) await this.#drain(last, budget.key as Key, budget.pool)
    await this.#check()
    const allowed = [...this.#store.promised.allowed.values()].reduce((sum, units) => sum + units, 0)
    return { losses: this.#store.losses, admitted: this.#admitted, allowed }
  }

  async #drain(owner: ForgetfulOwner, key: Key, pool: number): Promise<void> {
    const budget = owner.vsa.budget(key, POLICIES[key])
    const all =
      pool > 0
        ? this.#counted(owner, key, pool, budget.admit(pool, { durable: true, deadlineMs: 3 * LEASE_TTL_MS }))
        : Promise.resolve(true)
    await this.#pass(4 * LEASE_TTL_MS)
    const told = await all
    must(told === true, 'L5', () => `${key}: ${pool} units are in the pool, and the answer is ${told}`)
    const more = this.#counted(owner, key, 1, budget.admit(1, { durable: true, deadlineMs: 3 * LEASE_TTL_MS }))
    await this.#pass(4 * LEASE_TTL_MS)
    must((await more) === false, 'L1', () => `${key}: one more unit is admitted than there is in the pool`)
  }

  #start({ isHonest = false } = {}): ForgetfulOwner {
    const number = this.#owners.length
    const owner = new ForgetfulOwner(this.#library, {
      store: this.#store,
      clock: this.#clock,
      rng: new Rng(this.#seed, 'owner', number),
      number,
      isHonest,
      fail: (error) => (this.#error ??= error instanceof Error ? error : new Error(String(error))),
    })
    this.#owners.push(owner)
    return owner
  }

  #ask(owner: ForgetfulOwner, key: Key, budget: Budget): void {
    const units = key === 'seat' ? 1 : this.#rng.whole(1, 3)
    this.#counted(owner, key, units, budget.admit(units, { durable: this.#rng.chance(0.7) })).catch(() => undefined)
  }

  #try(owner: ForgetfulOwner): void {
    const credits = owner.vsa.budget('credits', POLICIES.credits)
    for (let times = this.#rng.whole(1, 5); times > 0; times -= 1) if (credits.tryAdmit()) this.#count('credits', 1)
  }

  /** Of units that were admitted. They count from the call. */
  #refund(budget: Budget, key: Key): void {
    if (this.#net[key] === 0) return
    try {
      budget.refund(1)
    } catch (error) {
      // Too many changes wait for a store that is away.
      if (error instanceof this.#library.VsaError) return
      throw error
    }
    this.#net[key] -= 1
  }

  /** They count from the call: the store may have them, and the caller not know. */
  #mint(budget: Budget, key: Key): void {
    this.#minted[key] += 2
    budget.mint(2, { id: `mint ${(this.#mints += 1)}` }).catch(() => undefined)
  }

  #partition(owner: ForgetfulOwner): void {
    owner.net.cut(this.#rng.pick(['refuse', 'hang']))
    owner.isCut = true
    this.#clock.timer(this.#rng.pick([300, LEASE_TTL_MS / 2, 2 * LEASE_TTL_MS]), () => {
      if (owner.isDead) return
      owner.isCut = false
      owner.net.heal()
    })
  }

  #kill(owner: ForgetfulOwner): void {
    owner.net.cut('hang')
    owner.serves = false
    owner.isDead = true
    this.#start()
  }

  #close(owner: ForgetfulOwner): void {
    owner.serves = false
    owner.vsa.close({ deadlineMs: 1_000 }).catch(() => undefined)
    this.#start()
  }

  #counted(owner: ForgetfulOwner, key: Key, units: number, asked: Promise<boolean>): Promise<boolean | null> {
    return asked.then(
      (admitted) => {
        if (admitted && !owner.isDead) this.#count(key, units)
        return admitted
      },
      () => null,
    )
  }

  #count(key: Key, units: number): void {
    this.#net[key] += units
    this.#admitted += units
  }

  async #pass(ms: number): Promise<void> {
    await this.#clock.advance(ms)
    for (const owner of this.#owners) owner.assertAlive()
  }

  async #check(): Promise<void> {
    const error = this.#store.violation ?? this.#error
    if (error !== null) throw error
    const { allowed, isOpen } = this.#store.promised
    for (const { budget, leases } of (await this.#store.rows()).rows) {
      const { minted, used, pool, burned } = budget
      const held = leases.reduce((sum, lease) => sum + lease.held, 0)
      must(minted === used + pool + burned + held, 'L2', () => `${JSON.stringify(budget)}, and ${held} held`)
      // While a freeze is open, what was lost is not restated yet; nothing is granted either.
      const key = budget.key as Key
      const gone = minted - pool + (allowed.get(key) ?? 0)
      must(
        isOpen || this.#net[key] <= gone,
        'L1',
        () => `${key}: ${this.#net[key]} units are admitted, ${gone} are gone`,
      )
    }
    for (const key of KEYS) {
      const most = POLICIES[key].initial + this.#minted[key] + (allowed.get(key) ?? 0)
      must(isOpen || this.#net[key] <= most, 'L1', () => `${key}: ${this.#net[key]} units are admitted of ${most}`)
    }
  }
}
