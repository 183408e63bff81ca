import { type FaultRates, faultyStore, type FaultyStore, type ManualClock } from 'vsa/testing'
import type { Store, Vsa, VsaEvent } from '../../../packages/vsa/dist/index.js'
import type { Library } from '../simulation/library.ts'
import type { Rng } from '../simulation/rng.ts'
import { must } from '../simulation/violation.ts'
import { type ForgetfulStore, LEASE_TTL_MS } from './store.ts'

const FLUSH_MS = 100

/** One engine, its network, and what its wire shows. */
export class ForgetfulOwner {
  readonly vsa: Vsa
  readonly net: FaultyStore
  /** It takes requests. */
  serves = true
  /** Its process is gone: what its callers are told does not count any more. */
  isDead = false
  isCut = false
  readonly #store: ForgetfulStore
  readonly #number: number
  readonly #clock: ManualClock
  #calls = 0
  /** The last call has its answer. */
  #isAnswered = false
  #answeredAt = 0
  #toldAt = -Infinity

  constructor(
    { open }: Library,
    parts: {
      store: ForgetfulStore
      clock: ManualClock
      rng: Rng
      number: number
      isHonest: boolean
      exchangeTimeoutMs?: number
      fail: (error: unknown) => void
    },
  ) {
    const { store, clock, rng, number, isHonest, fail } = parts
    this.#store = store
    this.#number = number
    this.#clock = clock
    const rates: FaultRates = rng.pick<FaultRates>([
      {},
      { delay: 0.3, lost_answer: 0.1, lost_request: 0.05, duplicate: 0.05, late: 0.05 },
      { delay: 0.1 },
    ])
    const delayMsMax = rng.pick([50, 700, 2 * LEASE_TTL_MS])
    this.net = faultyStore(store.of(number), { clock, random: rng.random, rates: isHonest ? {} : rates, delayMsMax })
    this.vsa = open({
      store: this.#observed(number),
      clock,
      random: rng.random,
      label: `owner ${number}`,
      flushIntervalMs: FLUSH_MS,
      deadlineMs: rng.pick([500, 3 * LEASE_TTL_MS]),
      exchangeTimeoutMs: parts.exchangeTimeoutMs ?? rng.pick([200, 1_000, 2 * LEASE_TTL_MS]),
      budgetsMax: rng.pick([1, 100]),
      onEvent: (event: VsaEvent) => {
        if (event.type === 'internal_error') fail(event.error)
        if (event.type === 'quarantined') fail(new Error(`quarantined: ${event.detail}`))
      },
    })
  }

  /** F6: an owner that was answered something lately keeps the epoch alive, though it holds nothing. */
  assertAlive(): void {
    const nowMs = this.#clock.monotonic()
    if (!this.serves || this.isCut || !this.#isAnswered || nowMs - this.#toldAt > LEASE_TTL_MS) return
    const quietMs = nowMs - this.#answeredAt
    must(quietMs <= LEASE_TTL_MS / 3 + 2 * FLUSH_MS, 'F6', () => `owner ${this.#number} sent nothing for ${quietMs} ms`)
  }

  #observed(number: number): Store {
    const { net } = this
    return {
      ...this.#store.of(number),
      join: (label) => this.#calling(net.join(label)),
      read: (names) => net.read(names),
      exchange: async (batch) => {
        const answer = await this.#calling(net.exchange(batch))
        if (!this.isDead) this.#store.promised.told(batch)
        const tellsRows = 'entries' in answer && answer.entries.some(({ kind }) => kind === 'budget')
        if (this.#isAnswered && tellsRows) this.#toldAt = this.#clock.monotonic()
        return answer
      },
    }
  }

  /** Between two attempts the engine pauses, for as long as it likes. */
  async #calling<T>(call: Promise<T>): Promise<T> {
    const number = (this.#calls += 1)
    const sentAt = this.#clock.monotonic()
    this.#isAnswered = false
    const answer = await call
    // F8: a late answer does not count.
    this.#isAnswered = this.#calls === number && this.#clock.monotonic() - sentAt <= 0.9 * LEASE_TTL_MS
    if (this.#isAnswered) this.#answeredAt = this.#clock.monotonic()
    return answer
  }
}
