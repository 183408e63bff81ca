import type { BudgetRow, Answer, Batch, Entry, EntryAnswer, Take } from '../../../packages/vsa/dist/index.js'
import { rowName } from './process-totals.ts'
import { must } from './violation.ts'

/** The tolerated delay of a keepalive, in ms: a timer fires in whole ms, and others may be due before it. */
const KEEPALIVE_SLACK_MS = 5
/** The longest want. */
const WANT_MAX_MS = 1_000

/** The exchanges of one process, checked against the owner rules that are visible on the wire: O2, O3, O5, O6 and G5. */
export class OwnerExchanges {
  readonly #leaseTtlMs: number
  /** The last batch that was sent; null before the first. */
  #last: Batch | null = null
  #isAnswered = true
  /** Units leased to the present epoch, by row, as of the last answers. */
  readonly #held = new Map<string, number>()
  #heldUnits = 0
  /** By leased row: units that are neither used nor burned, as of the last answer. */
  readonly #remaining = new Map<string, number>()
  /** When the process last received an answer, by its monotonic clock, and how often it had been stopped by then. */
  #heardAtMs = 0
  #heardStandstills = 0
  /** The row that the store refused in the last batch (S6); null where it refused none. */
  #refused: string | null = null
  /** Epochs of this process that have ended, as far as it knows. */
  #endedEpochs = 0
  /** Units admitted from memory since the row was last part of a batch. */
  readonly #unsent = new Map<string, number>()
  /** Units refunded since then. */
  readonly #givenBack = new Map<string, number>()

  constructor(leaseTtlMs: number) {
    this.#leaseTtlMs = leaseTtlMs
  }

  /** @throws Violation */
  sending(batch: Batch): void {
    const last = this.#last
    const wasAnswered = this.#isAnswered
    const isRepeated = last !== null && batch.epoch === last.epoch && batch.seq === last.seq
    this.#last = batch
    this.#isAnswered = false
    for (const name of rowsOf(batch)) {
      this.#unsent.delete(name)
      this.#givenBack.delete(name)
    }
    if (isRepeated) {
      this.#assertLeftOut(batch)
      return assertRepeats(last, batch, wasAnswered)
    }
    this.#refused = null
    const expected = last === null || batch.epoch !== last.epoch ? 1 : last.seq + 1
    must(batch.seq === expected, 'O2', () => `seq ${batch.seq} of epoch ${batch.epoch} is sent, not ${expected}`)
    const isNext = wasAnswered || batch.epoch !== last?.epoch
    must(isNext, 'O2', () => `seq ${batch.seq} is sent, and seq ${batch.seq - 1} has no answer yet`)
    const rows = rowsOf(batch)
    must(new Set(rows).size === rows.length, 'G5', () => `one row has two entries in seq ${batch.seq}`)
    for (const entry of batch.entries) {
      this.#assertLeased(entry)
      assertWant(entry)
    }
  }

  /** @param nowMs by the process's monotonic clock */
  heard(batch: Batch, answer: Answer, nowMs: number, standstills: number): void {
    const last = this.#last
    // A late answer to a batch that was replaced since (S6) has the same seq. The owner ignores it.
    if (last === null || this.#isAnswered || batch !== last) return
    if (answer.kind === 'fenced') this.#end()
    if (answer.kind === 'applied' || answer.kind === 'replayed') this.#settle(last, answer.entries)
    if (answer.kind === 'breach') {
      this.#refused = answer.row === undefined ? null : rowName(answer.row.key, answer.row.period)
      return
    }
    this.#isAnswered = true
    this.#heardAtMs = nowMs
    this.#heardStandstills = standstills
  }

  /** Rows are read (O12): an owner shows what the read says, less what it has not sent, or still the last answer. */
  looked(rows: readonly BudgetRow[]): void {
    for (const { key, period, minted, used, reserved, burned } of rows) {
      const name = rowName(key, period)
      const known = this.#remaining.get(name)
      const unsent = Math.max(0, this.unsent(name) - (this.#givenBack.get(name) ?? 0))
      if (known !== undefined) this.#remaining.set(name, Math.max(known, minted - used - reserved - burned - unsent))
    }
  }

  /** O6: an owner that holds leases exchanges at least once in each third of the lease lifetime. @throws Violation */
  assertAlive(nowMs: number, standstills: number, slackMs: number = KEEPALIVE_SLACK_MS): void {
    if (this.#heldUnits === 0 || !this.#isAnswered || standstills !== this.#heardStandstills) return
    const silentMs = nowMs - this.#heardAtMs
    must(
      silentMs < Math.floor(this.#leaseTtlMs / 3) + slackMs,
      'O6',
      () => `${this.#heldUnits} units are leased, and nothing was sent for ${silentMs} of ${this.#leaseTtlMs} ms`,
    )
  }

  /** O1, O5: what is admitted from memory comes from a lease that an answer gave. @throws Violation */
  admitted(name: string, units: number): void {
    this.#unsent.set(name, this.unsent(name) + units)
    const law = this.#endedEpochs > 0 ? 'O5' : 'O1'
    must(this.#held.has(name), law, () => `${name}: ${units} admitted from memory, without a lease in this epoch`)
  }

  /** L9, G5: a budget with a lease is not evicted: the figures of its last answer are kept. @throws Violation */
  assertRemembered(name: string, remaining: number): void {
    const known = this.#remaining.get(name) ?? Infinity
    must(remaining <= known, 'L9', () => `${name}: ${remaining} units remain, the last answer allows at most ${known}`)
  }

  gaveBack(name: string, units: number): void {
    this.#givenBack.set(name, (this.#givenBack.get(name) ?? 0) + units)
  }

  /** Units admitted from memory that no batch carries yet. */
  unsent(name: string): number {
    return this.#unsent.get(name) ?? 0
  }

  /** Whether an exchange that returns part of the row's lease is in flight. */
  givesBack(name: string): boolean {
    if (this.#last === null || this.#isAnswered) return false
    const entry = this.#last.entries.find((one) => one.kind === 'budget' && rowName(one.key, one.period) === name)
    return entry?.kind === 'budget' && entry.hold < (this.#held.get(name) ?? 0)
  }

  /** S6: the entry that the store refused is void when the batch is sent again. */
  #assertLeftOut(batch: Batch): void {
    const isThere = this.#refused !== null && rowsOf(batch).includes(this.#refused)
    must(!isThere, 'S6', () => `${this.#refused} was refused, and is in seq ${batch.seq} again`)
  }

  /** O3, O5: a batch settles only units that were leased to its epoch. */
  #assertLeased(entry: Entry): void {
    if (entry.kind !== 'budget' || entry.spent === 0) return
    const name = rowName(entry.key, entry.period)
    const held = this.#held.get(name)
    const law = held === undefined && this.#endedEpochs > 0 ? 'O5' : 'O3'
    must(entry.spent <= (held ?? 0), law, () => `${name}: ${entry.spent} spent of a lease of ${held ?? 0}`)
  }

  #settle({ entries }: Batch, answers: readonly EntryAnswer[]): void {
    for (const [index, entry] of entries.entries()) {
      if (entry.kind !== 'budget') continue
      const name = rowName(entry.key, entry.period)
      const answer = answers[index]
      const held = answer?.kind === 'budget' ? answer.held : 0
      this.#heldUnits += held - (this.#held.get(name) ?? 0)
      this.#held.delete(name)
      this.#remaining.delete(name)
      if (answer?.kind !== 'budget' || held === 0) continue
      this.#held.set(name, held)
      this.#remaining.set(name, Math.max(0, answer.minted - answer.used - (answer.reserved ?? 0) - answer.burned))
    }
  }

  #end(): void {
    this.#held.clear()
    this.#remaining.clear()
    this.#heldUnits = 0
    this.#endedEpochs += 1
  }
}

/** O12: no lease of any owner grows meanwhile. */
function assertWant(entry: Entry): void {
  if (entry.kind !== 'budget') return
  must(entry.wantMs <= WANT_MAX_MS, 'O12', () => `${entry.key} is wanted for ${entry.wantMs} ms`)
}

/** O2: the same batch under the same seq until its answer is certain; only an entry that was refused becomes void (S6). */
function assertRepeats(before: Batch, batch: Batch, wasAnswered: boolean): void {
  must(!wasAnswered, 'O2', () => `seq ${batch.seq} was answered, and is sent again`)
  if (before === batch) return
  const isVoid = (index: number): boolean => batch.entries[index]?.kind === 'void'
  const entriesOf = ({ entries }: Batch): unknown => entries.map((entry, index) => (isVoid(index) ? null : entry))
  const takesOf = ({ takes }: Batch): unknown => takes.filter((take: Take) => !take.need.some(([at]) => isVoid(at)))
  const textOf = (one: Batch): string => JSON.stringify([entriesOf(one), takesOf(one), one.changes])
  const isSame = textOf(before) === textOf(batch)
  must(isSame, 'O2', () => `seq ${batch.seq} is sent again with other contents`)
}

function rowsOf({ entries }: Batch): readonly string[] {
  return entries.flatMap((entry) => (entry.kind === 'budget' ? rowName(entry.key, entry.period) : []))
}
