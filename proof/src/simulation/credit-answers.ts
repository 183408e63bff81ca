import type { Decision, DecisionShare, GivenBack, Settled } from '../../../packages/vsa/dist/index.js'
import type { CreditRequest } from './credit-operations.ts'
import type { OwnerProcess } from './owner-process.ts'
import { type Life, type LotLife, requestText } from './reservation-lives.ts'
import type { RunContext } from './run-context.ts'
import { must } from './violation.ts'

/** What a caller asked for under an id, and when. */
export interface AskedOnce {
  readonly owner: OwnerProcess
  readonly request: CreditRequest
  readonly as: 'admission' | 'reservation'
  readonly id: string
  /** In moments of the store's transactions. */
  readonly since: number
}

/** A change of what is known under an id, by the budget that names it. */
export interface ChangedOnce {
  readonly owner: OwnerProcess
  readonly key: string
  readonly id: string
  readonly since: number
}

/** R1, R4, I1, I2: every answer about an id is checked against what the store's transactions made of it. One outcome for ever, told first once. */
export class CreditAnswers {
  readonly #context: RunContext
  readonly #told = new WeakMap<ChangedOnce['owner'], Set<string>>()

  constructor(context: RunContext) {
    this.#context = context
  }

  /** @param repeated undefined where the caller is not told */
  granted(asked: AskedOnce, repeated: boolean | undefined, from?: readonly DecisionShare[]): void {
    const { owner, as, id, since } = asked
    const { scenarios, setting } = this.#context
    const law = lawOf(as)
    const lives = this.#livesOf(asked, since)
    const same = lives.filter(({ request }) => request === this.#textOf(asked))
    // Where it was forgotten meanwhile, it may be either.
    const fresh = same.filter(({ grantedFirst }) => repeated === false && grantedFirst === 0)
    const fits = (one: Life): boolean => from === undefined || sharesTold(one, from, repeated === true).isSame
    const life = fresh.find(fits) ?? fresh[0] ?? same.find(fits) ?? same[0]
    must(
      life !== undefined,
      law,
      () => `${id} was granted to ${this.#textOf(asked)}, and the store has ${textOf(lives)}`,
    )
    if (repeated === false) life.grantedFirst += 1
    must(life.grantedFirst <= 1, law, () => `${id} was granted twice: ${textOf([life])}`)
    if (from !== undefined) assertFrom(life, from, repeated === true)
    const others = [...life.toldTo].filter((number) => number !== owner.number)
    const policyOf = (number: number): number => number % (setting.budgets[0]?.policies.length ?? 1)
    if (repeated !== false && life.toldTo.size > 0) scenarios.note('13 an id asked again')
    if (others.length > 0) scenarios.note('13 an id asked again by another process')
    if (others.some((number) => policyOf(number) !== policyOf(owner.number)))
      scenarios.note('23 an id asked again under another limit')
    if (!life.toldTo.has(owner.number) && this.#isDead(life))
      scenarios.note('13 an id asked again after its process was killed')
    life.toldTo.add(owner.number)
  }

  /** A refusal leaves nothing; what was granted before is granted again. @param reason of a record */
  denied(asked: AskedOnce, reason?: Decision['reason']): void {
    const { as, id, since, request } = asked
    const { scenarios, setting } = this.#context
    if (reason === 'unavailable' || (reason === undefined && setting.onStoreUnavailable === 'deny')) return
    if (request.form === 'first') scenarios.note('17 a waterfall is denied')
    const key = this.#keysOf(request)[0] ?? ''
    const life = this.#context.audit.reservations.lives.throughout(key, id, since)
    if (life === undefined || life.request !== this.#textOf(asked)) return
    const isRefunded = as === 'admission' && sourcesOf(life).some(({ refunded }) => refunded !== null)
    if (isRefunded) scenarios.note('13 admitted by id, given back, and asked again')
    must(isRefunded, lawOf(as), () => `${id} was denied (${reason}), and the store has ${textOf([life])}`)
  }

  /** @param code of the error */
  refused(asked: AskedOnce, code: unknown): void {
    if (code !== 'id_conflict') return
    this.#context.scenarios.note('13 an id asked again for something else')
    const text = this.#textOf(asked)
    const lives = this.#livesOf(asked, asked.since)
    must(
      lives.some(({ request }) => request !== text),
      lawOf(asked.as),
      () => `${asked.id}: ${text} is a conflict with ${textOf(lives)}`,
    )
  }

  /** R4: two settlements of an id are never told two outcomes. @param actual the units that were asked for */
  settled(changed: ChangedOnce, actual: number, { settled, uncovered, repeated }: Settled): void {
    const { owner, key, id } = changed
    const { scenarios, audit } = this.#context
    const same = this.#lotsOf(changed).filter(
      ([, { now }]) => now.state === 'final' && chargedOf(now) === settled && now.uncovered === uncovered,
    )
    const found = same.find(([, { settledFirst }]) => !repeated && settledFirst === 0) ?? same[0]
    const text = (): string => `${id} of ${key} was told ${settled}, ${uncovered} and ${repeated} for ${actual}`
    // Of a waterfall, by any of its budgets.
    const told = `${id} ${settled} ${uncovered}`
    const toldBefore = this.#toldBy(owner)
    // The handle of its process keeps the outcome for longer than the store does (R6).
    if (found === undefined && repeated && toldBefore.has(told)) return
    toldBefore.add(told)
    must(uncovered >= 0 && settled >= 0, 'R4', text)
    must(found !== undefined, 'R4', () => `${text()}; the store has ${textOf(this.#lives(changed))}`)
    const [life, lot] = found
    if (!repeated) lot.settledFirst += 1
    must(lot.settledFirst <= 1, 'R4', () => `${text()}: it was settled before`)
    must(repeated || settled + uncovered === actual, 'R4', text)
    if (owner.closing) scenarios.note('22 settled while closing')
    if (audit.epoch(life.epoch)?.totals !== owner.totals) scenarios.note('13 settled by another process')
    if (this.#isDead(life)) scenarios.note('13 settled after its process was killed')
  }

  /** Settlements that callers of this life of a process were told. */
  #toldBy(owner: ChangedOnce['owner']): Set<string> {
    const told = this.#told.get(owner) ?? new Set<string>()
    this.#told.set(owner, told)
    return told
  }

  /** R5 @param units the total that was asked for */
  extended(changed: ChangedOnce, units: number): void {
    const lots = this.#lotsOf(changed)
    must(
      lots.some(([, { now, openUntil }]) => openUntil >= changed.since && now.units >= units),
      'R5',
      () => `${changed.id} of ${changed.key} was extended to ${units}: ${textOf(this.#lives(changed))}`,
    )
  }

  /** I2: once, and never more than was charged. @param asked units */
  refunded(changed: ChangedOnce, asked: number, { units, repeated }: GivenBack): void {
    const { key, id } = changed
    const same = this.#lotsOf(changed).filter(([, { now }]) => refundedOf(now) === units)
    const found = same.find(([, { refundedFirst }]) => !repeated && refundedFirst === 0) ?? same[0]
    const text = (): string => `${id} of ${key} was told that ${units} of ${asked} came back, ${repeated}`
    must(found !== undefined, 'I2', () => `${text()}; the store has ${textOf(this.#lives(changed))}`)
    const [, lot] = found
    if (!repeated) lot.refundedFirst += 1
    must(lot.refundedFirst <= 1, 'I2', () => `${text()}: it was given back before`)
    must((repeated || units <= asked) && units <= chargedOf(lot.now), 'I2', text)
  }

  /** @param code of the error of a settlement, an extension or a refund */
  failed(changed: ChangedOnce, code: unknown): void {
    const { key, id, since } = changed
    const { lives } = this.#context.audit.reservations
    if (code === 'reservation_unknown') {
      const life = lives.throughout(key, id, since)
      must(life === undefined, 'R7', () => `${id} of ${key} is not known, and the store has ${JSON.stringify(life)}`)
    }
    if (code !== 'reservation_open') return
    const wasOpen = this.#lotsOf(changed).some(([, { finalFrom }]) => finalFrom > since)
    must(wasOpen, 'I2', () => `${id} of ${key} cannot be given back, and the store has ${textOf(this.#lives(changed))}`)
  }

  #lives({ key, id, since }: ChangedOnce): readonly Life[] {
    return this.#context.audit.reservations.lives.since(key, id, since)
  }

  #lotsOf(changed: ChangedOnce): readonly (readonly [Life, LotLife])[] {
    return this.#lives(changed).flatMap((life) =>
      life.lots.filter(({ keys }) => keys.includes(changed.key)).map((lot) => [life, lot] as const),
    )
  }

  #livesOf({ request, id }: AskedOnce, since: number): readonly Life[] {
    const { lives } = this.#context.audit.reservations
    return [...new Set(this.#keysOf(request).flatMap((key) => lives.since(key, id, since)))]
  }

  #isDead({ epoch }: Life): boolean {
    return this.#context.isDead(epoch)
  }

  #keysOf({ budgets }: CreditRequest): readonly string[] {
    return budgets.flatMap((index) => this.#context.setting.budgets[index]?.key ?? [])
  }

  #textOf({ request, as }: AskedOnce): string {
    const { units, overage, form } = request
    const sources = this.#keysOf(request).map((key) => ['budget', key, units] as const)
    const counter = overage === null ? undefined : this.#context.setting.counters[overage]
    const last = counter === undefined ? [] : [['counter', counter, units] as const]
    return requestText(as, form === 'first' ? 'first' : 'all', [...sources, ...last])
  }
}

function lawOf(as: AskedOnce['as']): string {
  return as === 'admission' ? 'I1' : 'R1'
}

/** V1: an admission tells what it took, also when it is repeated: then the period is the present one. */
function assertFrom(life: Life, from: readonly DecisionShare[], isRepeated: boolean): void {
  const { isSame, kept, told } = sharesTold(life, from, isRepeated)
  must(isSame, 'V1', () => `${life.id} took ${kept}, and is told to have taken ${told}`)
}

function sharesTold(
  life: Life,
  from: readonly DecisionShare[],
  isRepeated: boolean,
): { readonly isSame: boolean; readonly kept: string; readonly told: string } {
  const partsOf = (parts: readonly Pick<DecisionShare, 'key' | 'units' | 'period'>[]): string =>
    JSON.stringify(parts.map(({ key, units, period }) => [key, units, isRepeated ? period === null : period]))
  const taken = sourcesOf(life).flatMap(({ key, charged, period }) =>
    charged > 0 ? [{ key, units: charged, period }] : [],
  )
  const [told, kept] = [partsOf(from), partsOf(taken)]
  return { isSame: told === kept, kept, told }
}

function sourcesOf({ lots }: Life): LotLife['now']['sources'] {
  return lots.flatMap(({ now }) => now.sources)
}

function chargedOf({ sources }: LotLife['now']): number {
  return sources.reduce((sum, { charged }) => sum + charged, 0)
}

/** Null before it was given back. */
function refundedOf({ sources }: LotLife['now']): number | null {
  if (sources.every(({ refunded }) => refunded === null)) return null
  return sources.reduce((sum, { refunded }) => sum + (refunded ?? 0), 0)
}

function textOf(lives: readonly Life[]): string {
  return JSON.stringify(
    lives.map(({ request, lots, from, until }) => ({ request, from, until, lots: lots.map(({ now }) => now) })),
  )
}
