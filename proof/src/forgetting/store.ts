import { changedAdapter } from '../../../packages/vsa/dist/core/changed-adapter.js'
import type { Answer, Batch, Joined, Store } from '../../../packages/vsa/dist/index.js'
import type { MemoryPast } from '../../../packages/vsa/dist/stores/memory/past.js'
import type { Library } from '../simulation/library.ts'
import { must } from '../simulation/violation.ts'
import { Promised } from './promise.ts'

export const LEASE_TTL_MS = 3_000

/** A memory store that forgets, and a record of what it did that is independent of it. */
export class ForgetfulStore {
  readonly promised = new Promised()
  losses = 0
  /** The first rule that an answer broke. The engine would take what is thrown at it for a failure of the store. */
  violation: Error | null = null
  readonly #past: MemoryPast
  readonly #store: Store
  readonly #now: () => number
  /** When each transaction was saved. */
  readonly #savedAt: number[] = []
  /** Epochs whose process the store takes for dead. */
  readonly #dead = new Set<number>()
  /** When the present freeze ends; Infinity from the loss until the store has seen it. */
  #frozenUntil = 0
  #incarnation: string

  constructor({ MemoryAdapter, MemoryPast, storeFrom }: Library, now: () => number) {
    // Store time is in whole ms.
    this.#now = () => Math.floor(now())
    this.#past = new MemoryPast()
    this.#incarnation = this.#past.life.incarnation
    const adapter = new MemoryAdapter(now, LEASE_TTL_MS, this.#past)
    let tokens = 0
    const reaping = changedAdapter(adapter, {
      loadUpkeep: (bounds) => {
        const { rows, ...snapshot } = adapter.loadUpkeep(bounds)
        const open = rows.open.map((one) => ({ ...one, isGone: this.#dead.has(one.owner.epoch) }))
        return { ...snapshot, rows: { ...rows, open } }
      },
    })
    this.#store = storeFrom(reaping, { now, newToken: () => `token ${(tokens += 1)}` })
  }

  /** As the store of one owner. */
  of(owner: number): Store {
    const store = this.#store
    return {
      capabilities: store.capabilities,
      join: (label) => this.#join(label),
      exchange: (batch) => this.#exchange(batch, owner),
      read: (names) => store.read(names),
      list: (range) => store.list(range),
      owners: () => store.owners(),
      close: async () => undefined,
    }
  }

  /** Transactions that wrote something. */
  get size(): number {
    return this.#past.size
  }

  bury(epoch: number): void {
    this.#dead.add(epoch)
  }

  /** Loses the last writes, none of which is as old as a lease lives, and never the first one: without it, the store would be a new one. */
  forget(most: number): void {
    // In whole ms: a write may be older than it looks.
    const since = this.#now() - LEASE_TTL_MS + 1
    const { size } = this.#past
    if (size === 0) return
    let count = 0
    while (count < most && count < size - 1 && (this.#savedAt[size - 1 - count] ?? 0) > since) count += 1
    this.#past.forget(count)
    this.#savedAt.length = size - count
    this.losses += 1
    this.promised.forgot(size - count)
    this.#incarnation = this.#past.life.incarnation
    this.#frozenUntil = Infinity
  }

  async rows(): ReturnType<Store['list']> {
    return this.#store.list({ limit: 100 })
  }

  #join(label: string): Promise<Joined> {
    this.#begin()
    const joined = this.#store.join(label)
    this.#end()
    return joined
  }

  /** The store does all of it in this turn: the record is of one moment. */
  async #exchange(batch: Batch, owner: number): Promise<Answer> {
    this.#begin()
    const before = this.#goneOf(batch)
    const survivor = this.#past.rows.owner(batch.epoch)
    const answered = this.#store.exchange(batch)
    this.#end()
    const { size } = this.#past
    const after = this.#past.rows.owner(batch.epoch)
    const isPresent = batch.incarnation === this.#incarnation
    const isApplied = after?.token === batch.token && after.seq === batch.seq && after.seq !== survivor?.seq
    if (isApplied) {
      const pulled = [...this.#goneOf(batch)].map(([key, gone]) => [key, gone - (before.get(key) ?? 0)] as const)
      const index = size - 1
      this.promised.done(batch, {
        index,
        owner,
        pulled: new Map(pulled.filter(([, units]) => units > 0)),
        isTold: false,
      })
      if (isPresent) this.promised.reached(owner, index)
    }
    const isFrozen = this.#now() < this.#frozenUntil
    const known = survivor?.token === batch.token ? survivor.seq : null
    const rows = { before, after: this.#goneOf(batch) }
    const answer = await answered
    try {
      this.#check(batch, answer, { isPresent, isFrozen, survivor: known })
      if (answer.kind === 'applied') checkRestated(batch, rows)
    } catch (error) {
      this.violation ??= error instanceof Error ? error : new Error(String(error))
    }
    return answer
  }

  /** F1 to F3, F7 of one answer. */
  #check(batch: Batch, answer: Answer, at: { isPresent: boolean; isFrozen: boolean; survivor: number | null }): void {
    const said = (): string => `${JSON.stringify(batch)} was answered ${JSON.stringify(answer)}`
    if (!at.isPresent) {
      must(answer.kind === 'fenced' && answer.forgot, 'F1', said)
      must((answer.last?.seq ?? null) === at.survivor, 'F2', said)
    }
    if (answer.kind === 'fenced' && answer.last?.seq === batch.seq)
      must(
        answer.gone.every((gone, index) => gone !== null || batch.entries[index]?.kind !== 'budget'),
        'F7',
        said,
      )
    if (!at.isFrozen || answer.kind !== 'applied') return
    must(answer.frozenUntil > 0 && answer.granted.every((granted) => granted === 0), 'F3', said)
  }

  #begin(): void {
    if (this.#now() < this.#frozenUntil || !this.promised.isOpen) return
    this.promised.thaw()
  }

  #end(): void {
    while (this.#savedAt.length < this.#past.size) this.#savedAt.push(this.#now())
    if (this.#frozenUntil === Infinity && this.#past.life.keptIncarnation === this.#incarnation)
      this.#frozenUntil = this.#now() + LEASE_TTL_MS
  }

  #goneOf({ entries }: Batch): ReadonlyMap<string, number> {
    const gone = new Map<string, number>()
    for (const entry of entries) {
      if (entry.kind !== 'budget') continue
      const row = this.#past.rows.budget(entry)
      gone.set(entry.key, row === undefined ? 0 : row.minted - row.pool)
    }
    return gone
  }
}

interface GoneRows {
  readonly before: ReadonlyMap<string, number>
  readonly after: ReadonlyMap<string, number>
}

/** F5: what was gone is gone, and nothing else. */
function checkRestated({ entries }: Batch, { before, after }: GoneRows): void {
  for (const entry of entries) {
    if (entry.kind !== 'budget' || entry.gone === undefined) continue
    const [was, is] = [before.get(entry.key) ?? 0, after.get(entry.key) ?? 0]
    must(is === Math.max(was, entry.gone), 'F5', () => `${JSON.stringify(entry)} made ${is} of ${was} units gone`)
  }
}
