import type { Answer, Batch, Outcome } from '../../../packages/vsa/dist/core/exchange.js'
import type { Bounds } from './bounds.ts'
import type { LeaseState, Epoch, Message, Owner, World } from './world.ts'

/**
 * The name of a state. States with the same future behaviour have the same name.
 *
 * It omits what no rule reads again: figures for display, versions (all owners declare the same policy), and the outcome of a batch that
 * cannot be repeated any more. Relative numbers replace absolute ones: seqs count from the last applied seq, times from now, and epoch
 * numbers are omitted. The parts of an owner or an epoch are collected and sorted by content. So states that differ only in the
 * numbering of owners, the order of messages or absolute numbers share one name.
 */
export function codeOf(bounds: Bounds, world: World): string {
  const { books, owners } = world
  const gathered = new Gathering(bounds, world)
  const [first, second] = owners.map((owner, at) => personCode(gathered, owner, at))
  const persons = order(first ?? '', second ?? '')
  const others = books.epochs.flatMap(({ epoch }) => (gathered.hasUsed(epoch) ? [] : [gathered.codeOf(epoch, null)]))
  return `${rowsCode(gathered, world)}${gathered.time}${persons}#${others.length < 2 ? others.join('') : others.sort().join('')}`
}

/** Collects what belongs to each epoch. */
class Gathering {
  readonly #bounds: Bounds
  readonly #world: World
  readonly #now: number
  readonly #used: number[] = []

  constructor(bounds: Bounds, world: World) {
    this.#bounds = bounds
    this.#world = world
    const { wall, timeSeen } = world.books
    this.#now = bounds.timeMax < Infinity ? wall : Math.max(wall, timeSeen)
  }

  /** The absolute time, where it matters. */
  get time(): string {
    const { tickMs, timeMax } = this.#bounds
    const { books, jumps } = this.#world
    return timeMax < Infinity ? digit(books.wall / tickMs) + digit(books.timeSeen / tickMs) + digit(jumps) : ''
  }

  /** How many steps of the clock away. */
  steps(ms: number): string {
    return digit(Math.ceil(Math.max(ms - this.#now, -1) / this.#bounds.tickMs))
  }

  hasUsed(epoch: number): boolean {
    return this.#used.includes(epoch)
  }

  baseOf(epoch: number | null): number {
    return this.#world.books.epochs.find((one) => one.epoch === epoch)?.record.seq ?? 0
  }

  /** @param asked the seq in flight: while it is the last one applied, its outcome may still be read */
  codeOf(epoch: number | null, asked: number | null): string {
    const one = this.#world.books.epochs.find((other) => other.epoch === epoch)
    if (one === undefined) return ''
    this.#used.push(one.epoch)
    return this.#epochCode(one, asked === one.record.seq) + this.#messagesOf(one)
  }

  joinsOf(owner: number): string {
    const codes: string[] = []
    for (const message of this.#world.network)
      if (message.kind === 'joined' && message.to === owner) codes.push(`j${this.codeOf(message.epoch, null)}`)
    return codes.length < 2 ? codes.join('') : codes.sort().join('')
  }

  #epochCode({ owner, held, record }: Epoch, isAsked: boolean): string {
    const life = owner === null ? 'f' : owner.state === 'closed' ? 'c' : this.steps(owner.expiresAt)
    const head = `e${life}${digits(held)}${digit((owner?.seq ?? record.seq) - record.seq)}${digit(Number(record.closed))}`
    return isAsked ? head + digits(record.granted) + digits(record.refunded) + outcomeCode(owner?.outcome) : head
  }

  #messagesOf({ epoch, record }: Epoch): string {
    const codes: string[] = []
    for (const message of this.#world.network)
      if (message.kind !== 'joined' && message.batch.epoch === epoch) codes.push(messageCode(message, record.seq))
    return codes.length < 2 ? codes.join('') : codes.sort().join('')
  }
}

function order(first: string, second: string): string {
  return first < second ? `${first}|${second}` : `${second}|${first}`
}

function rowsCode(gathered: Gathering, { books, counts }: World): string {
  let code = digit(books.mint ?? -1)
  for (const [at, row] of books.rows.entries()) {
    const count = counts[at]
    if (count !== undefined)
      code += digit(count.admitted) + digit(count.minted) + digit(count.mint ?? -1) + digit(count.mintsTold)
    if (row === null) code += '-'
    else
      code +=
        digit(row.minted) +
        digit(row.used) +
        digit(row.pool) +
        digit(row.burned) +
        (row.wantedUntil > 0 ? gathered.steps(row.wantedUntil) : '-')
  }
  return code
}

function personCode(gathered: Gathering, owner: Owner, at: number): string {
  const { epoch, batch } = owner.session
  return ownerCode(owner, gathered.baseOf(epoch)) + gathered.codeOf(epoch, batch?.seq ?? null) + gathered.joinsOf(at)
}

function ownerCode(owner: Owner, base: number): string {
  return owner.memo.codeFrom(base, () => {
    const { session, leases, requests, cargo, closing } = owner
    const { state, firstEpoch, seq, batch } = session
    let code = `o${state.slice(0, 3)}${digit(Number(firstEpoch !== null))}${digit(state === 'joining' ? 0 : seq - base)}${digit(Number(closing))}`
    for (const lease of leases) code += leaseCode(lease)
    for (const { needs, place, told } of requests) code += digits(needs) + place + digit(Number(told))
    if (batch === null) return code
    return `${code}${batchCode(batch, base)}${cargo?.runs.map(digits).join(';') ?? ''}`
  })
}

function leaseCode({ held, base, left, sent, refund, known, mint, unsent, owed }: LeaseState): string {
  const memory = digit(held) + digit(base) + digit(left) + digit(refund) + digit(unsent) + digit(owed)
  const carried = sent === null ? '-' : digit(sent.spent) + digit(sent.hold) + digit(sent.refund)
  const minting = mint === null ? '-' : digit(mint.units) + digit(Number(mint.sent))
  return memory + digit(Number(known)) + carried + minting
}

function messageCode(message: Exclude<Message, { readonly kind: 'joined' }>, base: number): string {
  return message.memo.codeFrom(base, () => {
    const { batch } = message
    if (message.kind === 'request') return `r${batchCode(batch, base)}`
    return `a${digit(batch.seq - base)}${answerCode(message.answer, base, batch.takes.length > 0)}`
  })
}

function batchCode({ seq, close, entries, takes }: Batch, base: number): string {
  let code = `b${digit(seq - base)}${digit(Number(close))}`
  for (const entry of entries) {
    if (entry.kind !== 'budget') continue
    const { key, known, spent, refund, hold, wantMs, mint } = entry
    code += key + digit(2 * Number(known) + Number(wantMs > 0)) + digit(spent) + digit(refund) + digit(hold)
    code += digit(mint?.units ?? 0)
  }
  for (const { need, n } of takes) code += `t${digit(n)}${need.map(digits).join('')}`
  return code
}

/** @param hasTakes whether a request may be refused: then the pool and the other leases matter */
function answerCode(answer: Answer, base: number, hasTakes: boolean): string {
  switch (answer.kind) {
    case 'applied':
    case 'replayed': {
      const rows = answer.entries.map((entry) => {
        if (entry.kind === 'removed') return entry.kind + digit(entry.refunded)
        if (entry.kind !== 'budget') return entry.kind
        const share = hasTakes ? digit(entry.pool) + digit(entry.othersHeld) : ''
        return digit(entry.held) + digit(entry.refunded) + share + (entry.mint ?? '')
      })
      return `${rows.join(',')}${digits(answer.granted)}`
    }
    case 'fenced':
      return answer.last === null ? 'f' : `f${digit(answer.last.seq - base)}${outcomeCode(answer.last.outcome)}`
    case 'stale':
    case 'lost':
    case 'breach':
      return answer.kind
  }
}

function outcomeCode(outcome: Outcome | undefined): string {
  if (outcome === undefined) return ''
  let code = `${digits(outcome.granted)}/`
  for (const [at, { noRow, refunded, mint }] of Object.entries(outcome.notes))
    code += at + digit(refunded ?? 0) + (noRow ?? '') + (mint ?? '')
  return code
}

/** A small whole number as one character. */
function digit(number: number): string {
  return String.fromCharCode(64 + number)
}

function digits(numbers: readonly number[]): string {
  let code = ''
  for (const number of numbers) code += digit(number)
  return code
}
