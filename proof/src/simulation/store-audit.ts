import type { Answer, AppliedAnswer, Batch, BudgetEntry, Joined, ListPage, OwnerRow } from '../../../packages/vsa/dist/index.js'
import { type EpochView, kindFor, outcomeOf, viewOf } from './epoch-view.ts'
import { type ProcessBooks, rowName, Sums } from './process-books.ts'
import type { Reached } from './reached.ts'
import { assertBalanced, heldOn, type RowView, rowViewOf } from './row-view.ts'
import type { BudgetSetting, Setting } from './script.ts'
import type { Auditor } from './store-host.ts'
import { must } from './violation.ts'

const MINUTE_MS = 60_000
/** A closed epoch is remembered this long. */
const EPOCH_KEPT_MS = 7 * 86_400_000

/** What the audit reads of the store. */
interface Readable {
  list(): Promise<ListPage>
  owners(): Promise<readonly OwnerRow[]>
}

interface Clocks {
  /** The wall clock of the store's machine, ms since 1970. */
  readonly store: () => number
  /** ms since the run began. */
  readonly trueMs: () => number
}

/**
 * Looks at the whole store after each of its transactions, and holds what changed to the rules (S1 to S10), with books of its own:
 * what each first application settled, granted and took back. Reads the store's rows, believes none of its sums.
 */
export class StoreAudit implements Auditor {
  readonly #store: Readable
  readonly #setting: Setting
  readonly #reached: Reached
  readonly #budgets: ReadonlyMap<string, BudgetSetting>
  readonly #changed: (row: string) => void
  readonly #epochs = new Map<number, EpochView>()
  readonly #gone = new Set<string>()
  /** Units minted by each id, by key. */
  readonly #mints = new Map<string, number>()
  /** The most leases that were on the row at once. */
  readonly #leasesMost = new Map<string, number>()
  readonly #versions = new Map<string, Set<number>>()
  readonly counters: Sums = new Sums()
  rows: ReadonlyMap<string, RowView> = new Map()
  exchanges = 0
  records = 0
  readonly #clocks: Clocks
  #time = 0
  #latest = 0
  #latestAtMs = 0

  /** @param changed told of each row that a transaction has changed */
  constructor(store: Readable, clocks: Clocks, setting: Setting, reached: Reached, changed: (row: string) => void) {
    this.#store = store
    this.#clocks = clocks
    this.#setting = setting
    this.#reached = reached
    this.#budgets = new Map(setting.budgets.map((budget) => [budget.key, budget]))
    this.#changed = changed
  }

  /** A process has heard that this epoch is its own. */
  own(epoch: number, books: ProcessBooks): void {
    const view = this.#epochs.get(epoch)
    if (view !== undefined) view.books = books
  }

  epoch(epoch: number | null): EpochView | undefined {
    return epoch === null ? undefined : this.#epochs.get(epoch)
  }

  openEpochs(): readonly EpochView[] {
    return [...this.#epochs.values()].filter(({ end }) => end === null)
  }

  async joined(label: string, { epoch, time }: Joined): Promise<void> {
    must(!this.#epochs.has(epoch), 'S2', () => `epoch ${epoch} was given twice`)
    const before = this.rows
    const owners = await this.#look(time)
    const row = owners.get(epoch)
    must(row !== undefined, 'S1', () => `epoch ${epoch} was given and is not kept`)
    if (this.openEpochs().some((other) => other.label === label)) this.#reached.note('6 two processes with one name')
    this.#epochs.set(epoch, viewOf(row))
    this.#compare(before, null, null)
  }

  async exchanged(batch: Batch, answer: Answer): Promise<void> {
    this.exchanges += 1
    const view = this.#epochs.get(batch.epoch)
    const expected = kindFor(view, batch)
    const before = this.rows
    const owners = await this.#look(answer.kind === 'applied' || answer.kind === 'replayed' ? answer.time : null)
    if (answer.kind === 'breach') {
      must(answer.row?.key === this.#setting.corrupt, 'S6', () => `breach: ${JSON.stringify(answer)}`)
      this.#reached.note('30 one key is refused')
      return this.#compare(before, null, null)
    }
    const remembers = answer.kind !== 'fenced' || answer.last !== null
    const isForgotten = owners.get(batch.epoch) === undefined && this.#time > EPOCH_KEPT_MS
    must(answer.kind === expected, 'S2', () => `batch ${batch.epoch}/${batch.seq} was answered ${answer.kind}, not ${expected}`)
    must(remembers || isForgotten, 'S2', () => `epoch ${batch.epoch} was forgotten`)
    if (answer.kind === 'applied' && view !== undefined) return this.#applied(view, batch, answer, before)
    if (answer.kind === 'replayed' && view !== undefined) this.#replayed(view, batch, answer)
    if (answer.kind === 'fenced' && answer.last !== null) this.#fenced(view, batch, answer.last)
    if (answer.kind === 'stale') this.#reached.note('3 late request, stale')
    this.#compare(before, null, null)
  }

  #fenced(view: EpochView | undefined, batch: Batch, last: { readonly seq: number; readonly outcome: EpochView['outcome'] }): void {
    this.#reached.note('3 late request, fenced')
    if (batch.takes.length > 0) this.#reached.note('25 take answered after fencing')
    if (batch.close && view?.end === 'reaped') this.#reached.note('31 close after its epoch was reaped')
    must(last.seq === view?.seq, 'S2', () => `fenced with seq ${last.seq}, not ${view?.seq}`)
    this.#assertOutcome(view, last.outcome)
  }

  #replayed(view: EpochView, batch: Batch, answer: AppliedAnswer): void {
    if (batch.takes.length > 0) this.#reached.note('25 take repeated')
    view.expiresAt = Math.max(view.expiresAt, answer.time + this.#setting.leaseTtlMs)
    this.#assertOutcome(view, outcomeOf(answer))
    this.#assertFigures(batch, answer)
  }

  #assertOutcome(view: EpochView, told: EpochView['outcome']): void {
    const [kept, said] = [view.outcome, told].map(({ granted, notes }) => JSON.stringify({ granted, notes }))
    must(kept === said, 'S2', () => `seq ${view.seq} of epoch ${view.epoch} came to ${kept}, and is answered ${said}`)
  }

  #applied(view: EpochView, batch: Batch, answer: AppliedAnswer, before: ReadonlyMap<string, RowView>): void {
    view.seq = batch.seq
    view.outcome = outcomeOf(answer)
    view.expiresAt = Math.max(view.expiresAt, answer.time + this.#setting.leaseTtlMs)
    if (batch.close) view.end = 'closed'
    this.records += answer.written.records
    this.#assertFigures(batch, answer)
    this.#compare(before, { batch, answer }, view)
    if (!batch.close) return
    for (const row of this.rows.values()) must(!row.leases.has(view.epoch), 'S9', () => `epoch ${view.epoch} was closed and holds a lease`)
  }

  /** S7: the answer says what the rows say. */
  #assertFigures(batch: Batch, answer: AppliedAnswer): void {
    must(answer.entries.length === batch.entries.length, 'S7', () => 'an answer lacks entries')
    for (const [index, said] of answer.entries.entries()) {
      const entry = batch.entries[index]
      if (said.kind !== 'budget' || entry?.kind !== 'budget') continue
      const row = this.rows.get(rowName(entry.key, entry.period))
      // Settled, and then removed in the same transaction: its retention was over (S10).
      if (row === undefined) continue
      const { minted, used, pool, burned, limit, version } = row.budget
      const held = row.leases.get(batch.epoch) ?? 0
      const othersHeld = heldOn(row) - held
      const kept = { held, minted, used, pool, burned, limit, version, othersHeld }
      for (const [name, value] of Object.entries(kept)) {
        const told = said[name as keyof typeof kept]
        must(told === value, 'S7', () => `${entry.key} ${entry.period}: ${name} is ${value}, and is answered ${told}`)
      }
    }
  }

  /** Reads everything anew. @param time store time, where the transaction keeps it */
  async #look(time: number | null): Promise<ReadonlyMap<number, OwnerRow>> {
    if (time !== null) {
      must(time >= this.#time, 'S1', () => `store time went back from ${this.#time} to ${time}`)
      this.#time = time
    }
    this.#latest = Math.max(this.latestTime, this.#time, this.#clocks.store())
    this.#latestAtMs = this.#clocks.trueMs()
    const { rows } = await this.#store.list()
    const owners = new Map((await this.#store.owners()).map((owner) => [owner.epoch, owner]))
    this.rows = new Map(rows.map((row) => [rowName(row.budget.key, row.budget.period), rowViewOf(row)]))
    for (const view of this.#epochs.values()) this.#followOwner(view, owners.get(view.epoch))
    return owners
  }

  /** S8: an epoch ends by its own closing batch, or when store time passes its expiry. */
  #followOwner(view: EpochView, row: OwnerRow | undefined): void {
    if (view.end !== null) return must(row?.state !== 'open', 'S9', () => `epoch ${view.epoch} ended, and is open again`)
    if (row?.state === 'open') return
    // Its own closing batch is looked at when it has been answered.
    if (row !== undefined && row.seq > view.seq) return
    must(this.#time > view.expiresAt || this.#refusedAfter(view), 'S8', () => `epoch ${view.epoch} was reaped at ${this.#time}, and lives until ${view.expiresAt}`)
    if (this.#time - view.expiresAt <= 20) this.#reached.note('21 reaper and renewal within 20 ms')
    view.end = 'reaped'
  }

  /** A refused exchange reaps as well, and its time is not kept: the clock of the store's machine is all there is to compare with. */
  #refusedAfter(view: EpochView): boolean {
    return this.#clocks.store() > view.expiresAt
  }

  /** O11: no owner's time may be past this: the latest that the store has ever said, and what has passed since. ms since 1970. */
  get latestTime(): number {
    return this.#latest + Math.ceil(this.#clocks.trueMs() - this.#latestAtMs)
  }

  /** Holds every row that changed to the rules. @param applied the batch that was applied, if one was */
  #compare(
    before: ReadonlyMap<string, RowView>,
    applied: { readonly batch: Batch; readonly answer: AppliedAnswer } | null,
    view: EpochView | null,
  ): void {
    const entries = new Map<string, number>()
    for (const [index, entry] of applied?.batch.entries.entries() ?? []) {
      if (entry.kind === 'budget') entries.set(rowName(entry.key, entry.period), index)
      else if (entry.kind === 'counter' && view !== null && applied !== null) this.#count(entry, applied.answer, index, view)
    }
    let records = 0
    for (const [name, row] of [...this.rows, ...this.#settledAndRemoved(before, applied)]) {
      const was = before.get(name)
      const index = entries.get(name)
      if (was !== undefined && index === undefined && isSame(was, row)) continue
      assertBalanced(row)
      const burned = this.#burn(name, was, row, view?.epoch ?? null)
      if (index === undefined || applied === null || view === null) this.#assertUntouched(name, was, row, burned)
      else if (this.#settle(name, was, row, burned, applied, index, view)) records += 1
      this.#assertLeases(name, row)
      this.#follow(name, was, row)
    }
    for (const [name, row] of before) if (!this.rows.has(name)) this.#removed(name, row, view)
    if (applied === null) return
    for (const name of entries.keys()) if (this.#gone.has(name)) this.#reached.note('27 late exchange for a removed row')
    const counted = applied.batch.entries.filter((entry, index) => {
      const said = applied.answer.entries[index]
      return entry.kind === 'counter' && entry.add !== 0 && said?.kind === 'counter' && !said.overflow
    }).length
    const written = applied.answer.written.records
    must(written === records + counted, 'L7', () => `${written} records were counted for ${records + counted} net changes`)
  }

  #count(entry: { readonly key: string; readonly add: number }, answer: AppliedAnswer, index: number, view: EpochView): void {
    const said = answer.entries[index]
    if (said?.kind !== 'counter') return
    if (!said.overflow) {
      this.counters.add(entry.key, entry.add)
      view.books?.counted.add(entry.key, entry.add)
    }
    const value = this.counters.of(entry.key)
    must(said.value === value, 'L3', () => `counter ${entry.key} is ${said.value}, and ${value} was added`)
  }

  /** S8, L4: leases of ended epochs that are there no more have burned, and nobody else's lease was touched. @returns units burned */
  #burn(name: string, was: RowView | undefined, row: RowView, present: number | null): number {
    let units = 0
    for (const [epoch, held] of was?.leases ?? []) {
      const now = row.leases.get(epoch) ?? 0
      if (epoch === present || now === held) continue
      const view = this.#epochs.get(epoch)
      must(now === 0 && view?.end === 'reaped', 'S8', () => `${name}: the lease of epoch ${epoch} went from ${held} to ${now}`)
      units += held
      view.books?.burned.add(name, held)
      view.books?.held.add(name, -held)
    }
    const burned = row.budget.burned - (was?.budget.burned ?? 0)
    must(burned === units, 'S8', () => `${name}: ${burned} burned, and dead leases were ${units}`)
    return units
  }

  #assertUntouched(name: string, was: RowView | undefined, row: RowView, burned: number): void {
    must(was !== undefined, 'S4', () => `${name} came into being by itself`)
    for (const part of ['used', 'minted', 'pool', 'limit', 'version'] as const) {
      must(was.budget[part] === row.budget[part], 'L3', () => `${name}: ${part} went from ${was.budget[part]} to ${row.budget[part]} by no exchange (burned ${burned})`)
    }
    for (const epoch of row.leases.keys()) must(was.leases.has(epoch), 'L3', () => `${name}: epoch ${epoch} has a lease by no exchange`)
  }

  /** S3, S4, S5: what the entry did to the row. @returns whether units changed (L7) */
  #settle(
    name: string,
    was: RowView | undefined,
    row: RowView,
    burned: number,
    { batch, answer }: { readonly batch: Batch; readonly answer: AppliedAnswer },
    index: number,
    view: EpochView,
  ): boolean {
    const entry = batch.entries[index]
    const said = answer.entries[index]
    if (entry?.kind !== 'budget') return false
    if (said?.kind !== 'budget') {
      // Refused, because it was not there; it cannot be there now.
      must(was !== undefined, 'S4', () => `${name} was refused, and made`)
      this.#assertUntouched(name, was, row, burned)
      return false
    }
    if (was === undefined) this.#assertMayBegin(name, entry)
    const taken = takenFrom(batch, answer, index)
    const base = (was?.leases.get(batch.epoch) ?? 0) - entry.spent
    const now = row.leases.get(batch.epoch) ?? 0
    const used = (was?.budget.used ?? 0) + entry.spent + taken - said.refunded
    must(row.budget.used === used, 'L3', () => `${name}: used is ${row.budget.used}; spent, taken and refunded make ${used}`)
    must(base >= 0, 'L3', () => `${name}: ${entry.spent} spent of a lease of ${base + entry.spent}`)
    must(said.refunded <= entry.refund, 'S3', () => `${name}: ${said.refunded} of ${entry.refund} were taken back`)
    const minted = this.#mintedBy(entry, said.mint)
    const limitChange = was === undefined ? 0 : row.budget.limit - was.budget.limit
    const isOlder = was !== undefined && row.budget.version < was.budget.version
    must(!isOlder, 'S3', () => `${name}: version ${row.budget.version} changed what a newer one had declared`)
    const mintedBefore = was?.budget.minted ?? row.budget.limit
    must(row.budget.minted === mintedBefore + minted + limitChange, 'L1', () => `${name}: minted went from ${mintedBefore} to ${row.budget.minted}, by ${minted} and ${limitChange}`)
    must(taken === 0 || row.budget.pool >= 0, 'S3', () => `${name}: ${taken} were taken, and the pool is ${row.budget.pool}`)
    this.#assertHold(name, row, base, now, entry)
    const { books } = view
    books?.settled.add(name, entry.spent + taken)
    books?.accepted.add(name, said.refunded)
    books?.held.add(name, now - (was?.leases.get(batch.epoch) ?? 0))
    this.#noteSettled(row, entry, base, now, limitChange)
    if (was === undefined) return row.budget.used !== 0 || minted !== 0
    return isChanged(was, row)
  }

  /** O3, S5: the lease moves towards what is wanted, and grows only where it may. */
  #assertHold(name: string, row: RowView, base: number, now: number, entry: BudgetEntry): void {
    const { budget } = row
    if (now <= base) return must(now >= Math.min(entry.hold, base), 'S3', () => `${name}: the lease fell from ${base} to ${now}, and ${entry.hold} were wanted`)
    must(now <= entry.hold, 'S3', () => `${name}: the lease grew from ${base} to ${now}, and ${entry.hold} were wanted`)
    must(budget.wantedUntil <= this.#time, 'S5', () => `${name}: a lease grew while the row was wanted`)
    must(budget.burned < budget.burnMax, 'S5', () => `${name}: a lease grew after ${budget.burned} of ${budget.burnMax} had burned`)
    must(budget.pool >= 0, 'S3', () => `${name}: a lease grew, and the pool is ${budget.pool}`)
  }

  /** S4 */
  #assertMayBegin(name: string, { known, policy, period }: BudgetEntry): void {
    must(!this.#gone.has(name), 'L1', () => `${name} had been removed, and is a fresh budget now`)
    must(!known && policy !== undefined, 'S4', () => `${name} was known, and is made anew`)
    const { endsAt } = policy
    if (endsAt === null) return
    must(endsAt > this.#time - MINUTE_MS, 'S4', () => `${name} is made, and ended at ${endsAt}; it is ${this.#time}`)
    const aheadMs = Math.min(endsAt - period, MINUTE_MS)
    must(period <= this.#time + aheadMs, 'S4', () => `${name} is made, and begins at ${period}; it is ${this.#time}`)
  }

  /** Units that the entry's mint made: once per id, for ever. */
  #mintedBy({ key, mint }: BudgetEntry, outcome: string | undefined): number {
    if (mint === undefined) return 0
    const id = JSON.stringify([key, mint.id])
    const before = this.#mints.get(id)
    if (outcome === 'id_conflict') this.#reached.note('30 id conflict')
    if (outcome === 'units_overflow') this.#reached.note('30 more than 2^53 - 1')
    if (outcome !== 'minted') {
      const expected = before === undefined ? 'units_overflow' : before === mint.units ? 'repeated' : 'id_conflict'
      must(outcome === expected, 'L3', () => `mint ${id} of ${mint.units} came to ${outcome}, not ${expected}`)
      return 0
    }
    must(before === undefined, 'L3', () => `mint ${id} counted twice`)
    this.#mints.set(id, mint.units)
    return mint.units
  }

  /** L4: no lease above what a crash may burn, and all crashes together within their bound. */
  #assertLeases(name: string, row: RowView): void {
    const setting = this.#budgets.get(row.budget.key)
    if (setting === undefined) return
    for (const [epoch, held] of row.leases) must(held <= setting.atRiskMax, 'L4', () => `${name}: the lease of epoch ${epoch} is ${held}, above atRisk ${setting.atRiskMax}`)
    const most = Math.max(this.#leasesMost.get(name) ?? 0, row.leases.size)
    this.#leasesMost.set(name, most)
    const bound = setting.burnMaxMost + setting.atRiskMax * (most + 1)
    must(row.budget.burned <= bound, 'L4', () => `${name}: ${row.budget.burned} burned, and the bound is ${bound}`)
  }

  /** Rows that the batch settled, and that went in the same transaction: only the answer tells how they were left. */
  *#settledAndRemoved(
    before: ReadonlyMap<string, RowView>,
    applied: { readonly batch: Batch; readonly answer: AppliedAnswer } | null,
  ): Generator<readonly [string, RowView]> {
    for (const [index, entry] of applied?.batch.entries.entries() ?? []) {
      const said = applied?.answer.entries[index]
      if (entry.kind !== 'budget' || said?.kind !== 'budget') continue
      const name = rowName(entry.key, entry.period)
      const was = before.get(name)
      if (was === undefined || this.rows.has(name)) continue
      const { minted, used, pool, burned, limit, version, held } = said
      const leases = [...was.leases].filter(([epoch]) => epoch !== applied?.batch.epoch && this.#epochs.get(epoch)?.end !== 'reaped')
      if (held > 0 && applied !== null) leases.push([applied.batch.epoch, held])
      yield [name, { budget: { ...was.budget, minted, used, pool, burned, limit, version }, leases: new Map(leases) }]
    }
  }

  /** S10. @param view the epoch whose batch it was: it may have settled the row before */
  #removed(name: string, { budget, leases }: RowView, view: EpochView | null): void {
    must(budget.keepUntil !== null && budget.keepUntil < this.#time, 'S10', () => `${name} was removed at ${this.#time}, and kept until ${budget.keepUntil}`)
    for (const [epoch, held] of leases) {
      const { end, books } = this.#epochs.get(epoch) ?? {}
      if (epoch === view?.epoch) continue
      must(end === 'reaped', 'S10', () => `${name} was removed, and epoch ${epoch} leases from it`)
      // Burned in the same transaction.
      if (books?.held.of(name) === held) {
        books.held.add(name, -held)
        books.burned.add(name, held)
      }
    }
    const own = view?.books?.held.of(name) ?? 0
    must(own === 0, 'S10', () => `${name} was removed, and its last owner leases ${own} from it`)
    this.#gone.add(name)
  }

  #follow(name: string, was: RowView | undefined, row: RowView): void {
    this.#changed(name)
    const { budget } = row
    const versions = this.#versions.get(name) ?? new Set<number>()
    this.#versions.set(name, versions.add(budget.version))
    if (versions.size >= 3) this.#reached.note('28 limits alternate')
    if (was === undefined) this.#noteMade(row)
  }

  #noteMade({ budget }: RowView): void {
    const { endsAt, key, period } = budget
    if (endsAt !== null) {
      const hours = (endsAt - period) / 3_600_000
      if (hours === 23 || hours === 25) this.#reached.note('14 day of 23 or 25 hours')
      if (hours >= 28 * 24 - 1 && hours <= 30 * 24 + 1) this.#reached.note('14 month of 28 to 30 days')
      if (hours > 24.8 * 24) this.#reached.note('14 period above 24.8 days')
    }
    if (/["\0{}🎟 %]|x{1024}/u.test(key)) this.#reached.note('19 nasty key')
  }

  #noteSettled({ budget }: RowView, entry: BudgetEntry, base: number, now: number, limitChange: number): void {
    const reached = this.#reached
    const { endsAt, pool } = budget
    if (limitChange > 0) reached.note('16 limit raised')
    if (pool < 0) reached.note('16 limit lowered below what is out')
    if (endsAt === null) return
    if (now > base && endsAt - this.#time >= 0 && endsAt - this.#time <= 20) reached.note('14 lease just before an edge')
    if (entry.spent > 0 && endsAt <= this.#time) reached.note('14 settled after the edge')
  }
}

/** Units that the batch's takes took by way of this entry. */
function takenFrom(batch: Batch, answer: AppliedAnswer, index: number): number {
  let units = 0
  for (const [at, { need }] of batch.takes.entries()) {
    for (const [entry, cost] of need) if (entry === index) units += cost * (answer.granted[at] ?? 0)
  }
  return units
}

function isChanged(was: RowView, row: RowView): boolean {
  return (['used', 'minted', 'limit', 'version', 'burnMax'] as const).some((part) => was.budget[part] !== row.budget[part])
}

function isSame(was: RowView, row: RowView): boolean {
  if (was.budget !== row.budget && JSON.stringify(was.budget) !== JSON.stringify(row.budget)) return false
  if (was.leases.size !== row.leases.size) return false
  for (const [epoch, held] of was.leases) if (row.leases.get(epoch) !== held) return false
  return true
}
