import { open, type Budget, type Store } from 'vsa'
import { memory } from 'vsa/memory'
import { manualClock } from 'vsa/testing'
import { quantile } from '../measure/median.ts'
import { until } from '../measure/until.ts'

const KEY = 'shared'
const UNITS = 10_000
const PORTION_EVERY_MS = 10
/** 2,000 requests/s: the units last for 5 s. */
const PORTION = 20
/** Of the requests, the hot owner's; the others have equal parts of the rest. */
const HOT_SHARE = 0.9
/** Where the demand moves, another owner is the hot one after this. */
const MOVES_EVERY_MS = 500
/** More requests than units, so that the last ones are denied. */
const REQUESTS = 1.1 * UNITS

export type Skew = 'one-hot' | 'moving'

/** How long units lay with owners that did not need them, until all were admitted. */
export interface UnderUse {
  readonly owners: number
  readonly atRisk: number
  readonly skew: Skew
  /** The most units that other owners held while a request of one waited. */
  readonly strandedMost: number
  /** From the first request that had to wait until the last unit was admitted. */
  readonly strandedMs: number
  /** Requests that time had to pass for. */
  readonly waited: number
  readonly waitP50Ms: number
  readonly waitMostMs: number
  /** Requests that were denied although another owner still had a unit, and which a patient caller would have got. */
  readonly deniedEarly: number
  /** Units that were not admitted in the end. */
  readonly left: number
}

/** Several owners spend one stock, with most of the demand at one of them. */
export async function underUse(owners: number, atRisk: number, skew: Skew): Promise<UnderUse> {
  const clock = manualClock()
  const books = memory()
  const engines = Array.from({ length: owners }, () =>
    open({ store: books, clock, random: () => 0.5, onEvent: () => undefined }),
  )
  await until(Promise.all(engines.map((vsa) => vsa.ready())), clock)
  const budgets = engines.map((vsa) => vsa.budget(KEY, { initial: UNITS, atRisk }))
  const log = new RequestLog(() => clock.monotonic())
  let strandedMost = 0
  for (let asked = 0; asked < REQUESTS; asked += PORTION) {
    for (let one = 0; one < PORTION; one += 1) {
      const budget = budgets[ownerOf(asked + one, owners, skew, clock.monotonic())]
      if (budget !== undefined) log.note(budget)
    }
    await clock.settle()
    // Nothing takes time but what another owner must give back.
    if (log.waiting > 0) strandedMost = Math.max(strandedMost, UNITS - log.admitted - (await poolOf(books)))
    await clock.advance(PORTION_EVERY_MS)
  }
  await until(log.answered(), clock)
  for (const vsa of engines) await until(vsa.close(), clock)
  const waits = log.waitsMs.filter((ms) => ms > 0)
  return {
    ...{ owners, atRisk, skew, strandedMost },
    strandedMs: log.firstWaitAtMs === null ? 0 : Math.max(0, log.lastAdmittedAtMs - log.firstWaitAtMs),
    waited: waits.length,
    waitP50Ms: waits.length === 0 ? 0 : quantile(waits, 0.5),
    waitMostMs: Math.max(0, ...waits),
    deniedEarly: log.deniedEarly,
    left: UNITS - log.admitted,
  }
}

/** Which owner the request with this number comes to. */
function ownerOf(request: number, owners: number, skew: Skew, nowMs: number): number {
  const hot = skew === 'moving' ? Math.floor(nowMs / MOVES_EVERY_MS) % owners : 0
  const every = Math.round(1 / (1 - HOT_SHARE))
  if (request % every !== 0) return hot
  return (hot + 1 + (Math.floor(request / every) % (owners - 1))) % owners
}

async function poolOf(books: Store): Promise<number> {
  const [row] = await books.read([{ key: KEY, period: 0 }])
  return row?.pool ?? UNITS
}

/** When each request was answered, and how. */
class RequestLog {
  admitted = 0
  waiting = 0
  /** When a request was denied: admitted so far. */
  readonly #deniedAfter: number[] = []
  readonly waitsMs: number[] = []
  firstWaitAtMs: number | null = null
  lastAdmittedAtMs = 0
  readonly #answers: Promise<void>[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get deniedEarly(): number {
    return this.#deniedAfter.filter((admitted) => admitted < this.admitted).length
  }

  note(budget: Budget): void {
    this.#answers.push(this.#ask(budget))
  }

  async answered(): Promise<void> {
    await Promise.all(this.#answers)
  }

  async #ask(budget: Budget): Promise<void> {
    const askedAtMs = this.#nowMs()
    this.waiting += 1
    const isAdmitted = await budget.admit()
    this.waiting -= 1
    const nowMs = this.#nowMs()
    this.waitsMs.push(nowMs - askedAtMs)
    if (nowMs > askedAtMs) this.firstWaitAtMs ??= askedAtMs
    if (isAdmitted) {
      this.admitted += 1
      this.lastAdmittedAtMs = nowMs
    } else this.#deniedAfter.push(this.admitted)
  }
}
