import type { Snapshot } from '../../packages/vsa/src/core/adapter.ts'
import type { Writes } from '../../packages/vsa/src/core/written-rows.ts'
import type { AppliedAnswer, Batch, BudgetEntry, CounterEntry, Take } from '../../packages/vsa/src/core/exchange.ts'
import { ONE_INCARNATION, ONE_LIFE } from '../../packages/vsa/src/core/life.ts'
import { openEpoch } from '../../packages/vsa/src/core/open-epoch.ts'
import { RESERVATION_KEPT_MS } from '../../packages/vsa/src/core/reservations/settlement.ts'
import type { ReservationChange } from '../../packages/vsa/src/core/reservations/messages.ts'
import { sweep } from '../../packages/vsa/src/core/reservations/sweep.ts'
import type { BudgetRow, ReservationRow } from '../../packages/vsa/src/core/rows.ts'
import { transition } from '../../packages/vsa/src/core/transition.ts'
import { MemoryAdapter } from '../../packages/vsa/src/stores/memory/adapter.ts'
import type { CreditOp } from '../src/credits/books.ts'
import { KEEP } from '../src/credits/lists.ts'

/** One unit of the model's time, in ms: it keeps a reservation for `KEEP` of them. */
const TICK_MS = RESERVATION_KEPT_MS / KEEP
const START = 1_800_000_000_000
const LEASE_TTL_MS = 10_000
const SWEPT_MAX = 1_000

/** An operation that P5 adds to those of the model's batches. */
export type ProductionOp = CreditOp | { readonly kind: 'reset'; readonly key: string }

/** What a test sets up. */
export interface Setup {
  /** Budgets with their first pools. */
  readonly pools: Readonly<Record<string, number>>
  readonly counter: string
  /** Of the owner that sends the batches. */
  readonly lease: { readonly key: string; readonly units: number }
}

/** The production transition over the memory adapter, given the operations of the model. Its time is the model's. */
export class CreditProduction {
  time = 0
  readonly #setup: Setup
  readonly #adapter = new MemoryAdapter(() => this.now, LEASE_TTL_MS)
  #seq = 0
  #held: number

  constructor(setup: Setup) {
    this.#setup = setup
    this.#held = setup.lease.units
    const join = this.#adapter.loadJoin()
    const joining = { token: 'token', label: 'test', leaseTtlMs: LEASE_TTL_MS }
    save(join, openEpoch(join.rows, joining, join.time, ONE_LIFE).writes)
    const entries = Object.entries(setup.pools).map(([key, limit]): BudgetEntry => {
      const policy = { kind: 'initial', limit, burnMax: limit, version: 1, endsAt: null, keepUntil: null } as const
      return { ...this.#entryOf(key), known: false, policy }
    })
    this.#send(this.#batch({ entries }))
  }

  /** Ms since 1970. */
  get now(): number {
    return START + this.time * TICK_MS
  }

  /** Time in the model's unit. */
  timeOf(ms: number): number {
    return (ms - START) / TICK_MS
  }

  /** One batch. Its operations must be in the order in which a batch is applied: entries, changes, takes. */
  apply(ops: readonly ProductionOp[]): { readonly batch: Batch; readonly answer: AppliedAnswer } {
    for (const op of ops) if (op.kind === 'flush') this.#held = 0
    const names = [...new Set(ops.flatMap(keysOfOp))]
    const entries = names.map((key) => this.#entryFor(key, ops))
    const takes = ops.flatMap((op) => takeOf(op, names))
    const changes = ops.flatMap(changeOf)
    const batch = this.#batch({ entries, takes, ...(changes.length > 0 && { changes }) })
    return { batch, answer: this.#send(batch) }
  }

  replay(batch: Batch): AppliedAnswer {
    return this.#send(batch)
  }

  /** R3, R6, in one transaction. */
  sweep(): void {
    const snapshot = this.#adapter.loadSweep(SWEPT_MAX)
    const writes = sweep(snapshot.rows, snapshot)
    if (writes !== null) save(snapshot, writes)
  }

  row(key: string): BudgetRow | undefined {
    return this.#adapter.read([{ key, period: 0 }])[0]
  }

  get held(): number {
    return this.#held
  }

  counter(): number {
    const { rows } = this.#adapter.loadExchange(this.#peek({ entries: [this.#counterEntry()] }))
    const [found] = rows.entries
    return found?.kind === 'counter' ? found.value : 0
  }

  /** Those of these names, each once. */
  reservations(names: readonly { readonly key: string; readonly id: string }[]): readonly ReservationRow[] {
    const changes = names.map((name) => ({ op: 'settle', ...name, units: 0 }) as const)
    return this.#adapter.loadExchange(this.#peek({ changes })).rows.reservations ?? []
  }

  #send(batch: Batch): AppliedAnswer {
    const snapshot = this.#adapter.loadExchange(batch)
    const { answer, writes } = transition(snapshot.rows, batch, snapshot.time)
    if (writes !== null) save(snapshot, writes)
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') throw new Error(`answered ${JSON.stringify(answer)}`)
    return answer
  }

  #batch(parts: Partial<Batch>): Batch {
    this.#seq += 1
    return this.#peek(parts, this.#seq)
  }

  /** A batch that is loaded, and not sent. */
  #peek(parts: Partial<Batch>, seq = this.#seq + 1): Batch {
    return {
      epoch: 1,
      token: 'token',
      incarnation: ONE_INCARNATION,
      seq,
      entries: [],
      takes: [],
      close: false,
      ...parts,
    }
  }

  #entryFor(key: string, ops: readonly ProductionOp[]): BudgetEntry | CounterEntry {
    if (key === this.#setup.counter) return this.#counterEntry()
    let entry = this.#entryOf(key)
    for (const op of ops) {
      if (!('key' in op) || op.key !== key) continue
      if (op.kind === 'mint') entry = { ...entry, mint: { id: op.id, units: op.units } }
      else if (op.kind === 'give back') entry = { ...entry, refund: op.units }
      else if (op.kind === 'flush') entry = { ...entry, spent: op.spent }
      else if (op.kind === 'reset') entry = { ...entry, reset: true }
    }
    return entry
  }

  /** Keeps the lease. */
  #entryOf(key: string): BudgetEntry {
    const hold = key === this.#setup.lease.key ? this.#held : 0
    return { kind: 'budget', key, period: 0, known: true, spent: 0, refund: 0, hold, wantMs: 0 }
  }

  #counterEntry(): CounterEntry {
    return { kind: 'counter', key: this.#setup.counter, add: 0 }
  }
}

/** The memory adapter saves at once. */
function save(snapshot: Pick<Snapshot<unknown>, 'save'>, writes: Writes): void {
  if (snapshot.save(writes) !== true) throw new Error('the writes were not saved at once')
}

/** Changes need no entry. */
function keysOfOp(op: ProductionOp): readonly string[] {
  if ('keys' in op) return op.keys
  return op.kind === 'settle' || op.kind === 'extend' || op.kind === 'refund' ? [] : [op.key]
}

function takeOf(op: ProductionOp, names: readonly string[]): readonly Take[] {
  if (op.kind === 'take') {
    const { keys, units } = op
    return [{ need: keys.map((key) => [names.indexOf(key), units] as const), n: 1, first: true }]
  }
  if (op.kind !== 'admit' && op.kind !== 'reserve') return []
  const { id, form, keys, units, ttl, onExpire } = op
  const need = keys.map((key, at) => [names.indexOf(key), (form === 'first' ? units[0] : units[at]) ?? 0] as const)
  const as = op.kind === 'admit' ? 'admission' : 'reservation'
  const remember = { id, as, ttlMs: ttl * TICK_MS, onExpire } as const
  return [form === 'first' ? { need, n: 1, first: true, remember } : { need, n: 1, remember }]
}

function changeOf(op: ProductionOp): readonly ReservationChange[] {
  if (op.kind === 'settle' || op.kind === 'refund') return [{ op: op.kind, key: op.key, id: op.id, units: op.units }]
  if (op.kind === 'extend') return [{ op: 'extend', key: op.key, id: op.id, units: op.units, ttlMs: op.ttl * TICK_MS }]
  return []
}
