import { copyOf, type CreditBatch, type CreditOp, type ExchangeAnswer, sum } from './books.ts'
import type { Bug } from './bugs.ts'
import { firstMinted } from './laws.ts'
import { isFinal, judge, type Judged, usedOf, withPlain } from './record.ts'
import { exchange, maintain, reap, reset } from './upkeep.ts'
import { answerText, batchText, opText } from './texts.ts'
import type { CreditBounds, CreditOwner, CreditState, Transaction } from './world.ts'

export interface CreditStep {
  readonly what: string
  /** The state behind it, and what is wrong with an answer. The laws of states are not looked at. */
  readonly run: () => Judged
}

const UNKNOWN = { isOpen: false, seq: 0, outcome: [] }
const EVENTS = { reset: 1, removed: 2, made: 4, flushed: 8 } as const

/** Every step from a state: two owners, a store, a network that loses, repeats and delays, and the user's transactions. */
export class CreditSteps {
  readonly #bounds: CreditBounds
  readonly #bug: Bug | null
  readonly #isSerial: boolean

  constructor(bounds: CreditBounds, bug: Bug | null) {
    this.#bounds = bounds
    this.#bug = bug
    this.#isSerial = bounds.joins === 0
  }

  first(): CreditState {
    const { pools, counters, lease, asks, transactions = [] } = this.#bounds
    const heldOf = (key: string): number[] => [0, lease?.key === key ? lease.units : 0]
    const row = { used: 0, reserved: 0, burned: 0, resets: 0 }
    const rows = Object.entries(pools).map(
      ([key, pool]) => [key, { ...row, minted: firstMinted(this.#bounds, key), pool, held: heldOf(key) }] as const,
    )
    const owner: CreditOwner = { epoch: 0, seq: 0, sent: null, answer: null, left: 0, spent: 0, owed: null }
    const epoch = { isOpen: true, seq: 0, outcome: [] }
    return {
      books: {
        ...{ time: 0, rows: new Map(rows), counters: new Map(counters.map((key) => [key, 0])) },
        ...{ reservations: new Map(), mints: new Map(), intents: [], applied: [], epochs: [epoch, epoch] },
      },
      ...{ owners: [owner, { ...owner, epoch: 1, left: lease?.units ?? 0 }], late: [], asked: asks.map(() => 0) },
      transactions: transactions.map((intent) => ({ state: 'none', intent: { number: 0, ...intent }, owed: 0 })),
      ...{ joins: 0, events: 0, read: null, grants: [], plain: {}, mints: {} },
    }
  }

  /** What tells two states apart. Numbers of batches do not: only whether the one in flight has been applied. */
  keyOf({ books, owners, late, ...rest }: CreditState): string {
    const { rows, counters, reservations, mints, epochs, intents, applied, time } = books
    const flights = owners.map(({ epoch, sent, answer, left, spent, owed }) => {
      const { isOpen, seq, outcome } = epochs[epoch] ?? epochs[0] ?? UNKNOWN
      const isApplied = sent === null ? this.#bug === 'refund remembered by owner' : seq === sent.seq
      return [epoch, isOpen, sent?.ops, isApplied && outcome, answer, left, spent, owed]
    })
    const behind = late.map(({ epoch, ops }) => [epoch, epochs[epoch]?.isOpen, ops])
    const store = [time, intents, applied, [...rows], [...counters], [...reservations].sort(byName), [...mints]]
    return JSON.stringify([rest, flights, behind, store])
  }

  *next(state: CreditState): Generator<CreditStep> {
    for (const who of [0, 1] as const) yield* this.#ownerSteps(state, who)
    for (const [at, batch] of state.late.entries()) {
      const late = state.late.filter((_, other) => other !== at)
      yield step(
        `an old batch reaches the store: ${batchText(batch)}`,
        () => this.#exchange({ ...state, late }, batch).judged,
      )
    }
    for (const [epoch, { isOpen }] of state.books.epochs.entries()) {
      const isAlive = state.owners.some((owner) => owner.epoch === epoch)
      if (isOpen && (!isAlive || state.joins < this.#bounds.joins))
        yield this.#step(`the store reaps epoch ${epoch}`, () => changed(state, (books) => reap(books, epoch)))
    }
    for (const at of state.transactions.keys()) yield* this.#transactionSteps(state, at)
    yield* this.#storeSteps(state)
  }

  *#ownerSteps(state: CreditState, who: 0 | 1): Generator<CreditStep> {
    const owner = state.owners[who]
    const name = 'AB'[who]
    const { sent, answer, left, spent, owed, epoch } = owner
    const { lease, isLossy = false } = this.#bounds
    if (left > 0 && lease !== undefined)
      yield this.#step(`${name} admits 1 of its lease`, () =>
        withPlain(withOwner(state, who, { left: left - 1, spent: spent + 1 }), [lease.key], [1]),
      )
    if (sent === null) {
      for (const [at, [op, times]] of this.#bounds.asks.entries()) {
        const count = state.asked[at] ?? 0
        if (count >= times || (this.#isSerial && who === 1)) continue
        const asked = state.asked.with(at, count + 1)
        yield this.#send({ ...state, asked }, who, op)
      }
      if (lease !== undefined && epoch === 1 && (state.events & EVENTS.flushed) === 0) {
        const flushed = { ...withOwner(state, who, { left: 0, spent: 0 }), events: state.events | EVENTS.flushed }
        yield this.#send(flushed, who, { kind: 'flush', key: lease.key, spent })
      }
      if (owed !== null) yield this.#send(withOwner(state, who, { owed: null }), who, owed)
    } else if (answer === null) {
      yield step(`the store gets the batch of ${name}`, () => {
        const { judged, answer } = this.#exchange(state, sent)
        return { ...judged, state: withOwner(judged.state, who, { answer }) }
      })
    } else {
      const isFenced = state.books.epochs[epoch]?.isOpen === false && answer.kind !== 'fenced'
      if (isLossy || isFenced)
        yield this.#step(`the answer to ${name} is lost`, () => withOwner(state, who, { answer: null }))
      if (answer.kind !== 'fenced' || state.joins < this.#bounds.joins)
        yield this.#step(`${name} hears ${answerText(answer)}`, () => hear(state, who, answer))
      const [late] = sent.ops
      if (this.#bug === 'late grant given back' && isGrant(answer) && late?.kind === 'admit')
        yield this.#step(`${name} hears it after its caller has given up`, () => {
          const owed = { kind: 'give back', key: late.keys[0] ?? '', units: late.units[0] ?? 0 } as const
          return withOwner(hear(state, who, answer), who, { owed })
        })
    }
    if (state.joins < this.#bounds.joins)
      yield this.#step(`${name} crashes and starts again`, () => {
        const isLate = sent !== null && state.books.epochs[epoch]?.seq !== sent.seq
        return rejoined({ ...state, late: isLate ? [...state.late, sent] : state.late }, who)
      })
  }

  *#transactionSteps(state: CreditState, at: number): Generator<CreditStep> {
    const transaction = state.transactions[at]
    if (transaction === undefined) return
    const { intent } = transaction
    const to = (changes: Partial<Transaction>): CreditState => {
      return { ...state, transactions: state.transactions.with(at, { ...transaction, ...changes }) }
    }
    const text = `${intent.op} ${intent.id} ${intent.units}`
    if (transaction.state === 'none') {
      const number = 1 + Math.max(0, ...state.transactions.map(({ intent }) => intent.number))
      const numbered = { ...intent, number }
      const isVisible = this.#bug === 'intent of an open transaction'
      yield this.#step(`a transaction inserts the intent ${text}`, () => {
        const open = to({ state: 'open', intent: numbered })
        return isVisible ? changed(open, (books) => (books.intents = [...books.intents, numbered])) : open
      })
    }
    if (transaction.state !== 'open') return
    yield this.#step(`the transaction of ${text} commits`, () =>
      changed(to({ state: 'committed', owed: owedTo(state, transaction) }), (books) => {
        const others = books.intents.filter(({ number }) => number !== intent.number)
        books.intents = [...others, intent].sort((one, other) => one.number - other.number)
      }),
    )
    yield this.#step(`the transaction of ${text} is rolled back`, () =>
      changed(to({ state: 'rolled back' }), (books) => {
        books.intents = books.intents.filter(({ number }) => number !== intent.number)
      }),
    )
  }

  *#storeSteps(state: CreditState): Generator<CreditStep> {
    const { books, events, read } = state
    const bounds = this.#bounds
    if (books.time < bounds.timeMax) yield this.#step('time passes', () => changed(state, (books) => (books.time += 1)))
    if (this.#bug === 'intents read before the time' && read === null)
      yield this.#step('upkeep reads the intents', () => ({ ...state, read: books.intents }))
    const visible = books.intents.filter(({ number }) => read?.some((one) => one.number === number) ?? true)
    yield step('upkeep', () =>
      this.#recorded(
        state,
        changed({ ...state, read: null }, (books) => maintain(books, visible, this.#bug)),
      ),
    )
    if (bounds.reset !== undefined && (events & EVENTS.reset) === 0) {
      const key = bounds.reset
      yield this.#step(`${key} is reset`, () => waived({ ...state, events: events | EVENTS.reset }, key))
    }
    const row = books.rows.get(bounds.removed ?? '')
    if (row !== undefined && (events & EVENTS.removed) === 0 && row.reserved + sum(row.held) === 0)
      yield this.#step(`the row of ${bounds.removed} is removed`, () =>
        changed({ ...state, events: events | EVENTS.removed }, (books) => books.rows.delete(bounds.removed ?? '')),
      )
    if (bounds.unmade !== undefined && (events & EVENTS.made) === 0) {
      const empty = { minted: 0, used: 0, reserved: 0, pool: 0, burned: 0, resets: 0, held: books.epochs.map(() => 0) }
      yield this.#step(`the row of ${bounds.unmade} is made`, () =>
        changed({ ...state, events: events | EVENTS.made }, (books) => books.rows.set(bounds.unmade ?? '', empty)),
      )
    }
  }

  #exchange(state: CreditState, batch: CreditBatch): { readonly judged: Judged; readonly answer: ExchangeAnswer } {
    const books = copyOf(state.books)
    const answer = exchange(books, batch, this.#bug)
    const recorded = this.#recorded(state, { ...state, books })
    if (recorded.fault !== null || answer.kind !== 'applied' || answer.isReplay) return { judged: recorded, answer }
    const [op] = batch.ops
    const [said] = answer.outcome
    if (op === undefined || said === undefined) return { judged: recorded, answer }
    return { judged: judge(recorded.state, op, said, this.#bug), answer }
  }

  /** The intents that a transaction of the store applied. */
  #recorded(before: CreditState, after: CreditState): Judged {
    let state = after
    for (const { intent, answer } of after.books.applied.slice(before.books.applied.length)) {
      const { key, id, units } = intent
      const judged = judge(state, { kind: intent.op, key, id, units }, answer, this.#bug)
      if (judged.fault !== null) return judged
      state = judged.state
    }
    return { state, fault: null }
  }

  /** Where no owner ends, only the moment of the store's transaction matters: a batch is sent, applied and answered at once. */
  #send(state: CreditState, who: 0 | 1, op: CreditOp): CreditStep {
    const sent = send(state, who, op)
    const { sent: batch } = sent.owners[who]
    if (!this.#isSerial || batch === null) return this.#step(`${'AB'[who]} sends ${opText(op)}`, () => sent)
    return step(`${'AB'[who]}: ${opText(op)}`, () => {
      const { judged, answer } = this.#exchange(sent, batch)
      return { ...judged, state: hear(judged.state, who, answer) }
    })
  }

  #step(what: string, to: () => CreditState): CreditStep {
    return step(what, () => ({ state: to(), fault: null }))
  }
}

function step(what: string, run: () => Judged): CreditStep {
  return { what, run }
}

function changed(state: CreditState, change: (books: CreditState['books']) => void): CreditState {
  const books = copyOf(state.books)
  change(books)
  return { ...state, books }
}

function withOwner(state: CreditState, who: 0 | 1, changes: Partial<CreditOwner>): CreditState {
  const [a, b] = state.owners
  return { ...state, owners: who === 0 ? [{ ...a, ...changes }, b] : [a, { ...b, ...changes }] }
}

function send(state: CreditState, who: 0 | 1, op: CreditOp): CreditState {
  const { epoch, seq } = state.owners[who]
  return withOwner(state, who, { sent: { epoch, seq: seq + 1, ops: [op] }, answer: null })
}

function hear(state: CreditState, who: 0 | 1, answer: ExchangeAnswer): CreditState {
  if (answer.kind === 'fenced') return rejoined(state, who)
  return withOwner(state, who, { seq: state.owners[who].seq + 1, sent: null, answer: null })
}

function rejoined(state: CreditState, who: 0 | 1): CreditState {
  const owner = { epoch: state.books.epochs.length, seq: 0, sent: null, answer: null, left: 0, spent: 0 }
  const joined = changed(state, (books) => {
    books.epochs = [...books.epochs, { isOpen: true, seq: 0, outcome: [] }]
    for (const row of books.rows.values()) row.held = [...row.held, 0]
  })
  return { ...withOwner(joined, who, owner), joins: state.joins + 1 }
}

/** T1: what a settlement that commits now is owed. */
function owedTo({ grants, books }: CreditState, { intent }: Transaction): number {
  const grant = grants.findLast(({ id, list }) => id === intent.id && list.includes(intent.key))
  if (intent.op !== 'settle' || grant === undefined || isFinal(grant) || books.time >= grant.expiresAt) return 0
  return Math.min(intent.units, sum(grant.list.map((_, at) => usedOf(grant, at, books.time))))
}

/** P5: L1 counts from the reset. */
function waived(state: CreditState, key: string): CreditState {
  const grants = state.grants.map((grant) => {
    const isCounted = isFinal(grant) && grant.list.includes(key)
    return isCounted ? { ...grant, waived: [...grant.waived, key] } : grant
  })
  return changed({ ...state, grants, plain: { ...state.plain, [key]: 0 } }, (books) => reset(books, key))
}

function isGrant(answer: ExchangeAnswer): boolean {
  return answer.kind === 'applied' && answer.outcome.some((one) => one.kind === 'granted' && !one.repeated)
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1
}
