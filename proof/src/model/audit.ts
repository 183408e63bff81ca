import type { Answer, AppliedAnswer, Batch, BudgetEntry } from '../../../packages/vsa/dist/core/exchange.js'
import { must, Violation } from '../simulation/violation.ts'
import type { Bounds } from './bounds.ts'
import type { Books, Count, Epoch, EpochRecord } from './world.ts'

/**
 * Checks one exchange from outside. Keeps the model's own record of first applications, and compares later answers to it.
 * @returns the store's state with that record
 */
export function auditAnswer(before: Books, batch: Batch, answer: Answer, after: Books): Books {
  const time = Math.max(before.wall, before.timeSeen)
  switch (answer.kind) {
    case 'breach':
      throw new Violation('L2', `the store refused a batch: ${answer.detail ?? 'a row does not balance'}`)
    case 'lost':
      throw new Violation(
        'S2',
        `batch ${batch.seq} of epoch ${batch.epoch} was answered \`lost\`, but no write was lost`,
      )
    case 'fenced':
    case 'stale':
      mustBeOver(before, batch, answer)
      mustNotMove(before, after)
      return after
    case 'replayed':
      mustNotMove(before, after)
      return heard(after, batch.epoch, time)
    case 'applied':
      mustBeNext(before, batch)
      return recorded(after, batch, answer, time)
  }
}

/** L3: an epoch's batches are applied once, in order, and never after its end. */
function mustBeNext({ epochs }: Books, { epoch, seq }: Batch): void {
  const known = epochs.find((one) => one.epoch === epoch)
  must(known !== undefined && isOpen(known), 'L3', () => `a batch of epoch ${epoch} was applied after its end`)
  const last = known.record.seq
  must(seq === last + 1, 'L3', () => `batch ${seq} of epoch ${epoch} was applied after batch ${last}`)
}

/** What an applied batch did to the rows, compared to what it should have done. @returns A(t) and B(t) afterwards */
export function auditRows(bounds: Bounds, seen: Seen, counts: readonly Count[]): readonly Count[] {
  return counts.map((count, row) => countOf(bounds, row, seen, count))
}

/** S8: a late owner that was not reaped yet renews its epoch with its exchange. */
function mustBeOver({ epochs }: Books, batch: Batch, { kind }: Answer): void {
  const open = epochs.find((one) => one.epoch === batch.epoch && isOpen(one))
  const isOwn = open !== undefined && batch.seq >= open.record.seq
  must(!isOwn, 'S8', () => `batch ${batch.seq} of epoch ${batch.epoch}, which is open, was answered ${kind}`)
}

/** An epoch that the model has neither seen closed by its owner nor reaped. */
function isOpen(epoch: Epoch): boolean {
  return !epoch.record.closed && epoch.owner?.state === 'open'
}

interface Seen {
  readonly before: Books
  readonly after: Books
  readonly batch: Batch
  readonly answer: AppliedAnswer
}

/** What the batch did to one row, and what it should have done. */
function countOf(bounds: Bounds, row: number, seen: Seen, count: Count): Count {
  const { before, after, batch, answer } = seen
  const key = bounds.rows[row]?.key ?? ''
  const at = batch.entries.findIndex((entry) => entry.kind === 'budget' && entry.key === key)
  const entry = batch.entries[at]
  const said = answer.entries[at]
  const usedBefore = before.rows[row]?.used ?? 0
  const used = after.rows[row]?.used ?? usedBefore
  if (entry?.kind !== 'budget' || said?.kind !== 'budget') {
    must(
      used === usedBefore,
      'L3',
      () => `units used of ${key} changed from ${usedBefore} to ${used} by a batch that does not name it`,
    )
    must(takenOf(batch, answer, at) === 0, 'L3', () => `a request for ${key} was granted without a row`)
    return count
  }
  const taken = takenOf(batch, answer, at)
  const isRemoved = after.rows[row] === null
  const due = usedBefore + entry.spent - said.refunded + taken
  must(
    isRemoved || used === due,
    'L3',
    () => `units used of ${key} are ${used} after ${usedBefore} + ${entry.spent} - ${said.refunded} + ${taken}`,
  )
  must(
    said.refunded <= entry.refund,
    'L3',
    () => `${said.refunded} units of ${key} were accepted of a refund of ${entry.refund}`,
  )
  mustGrowRightly(seen, row, entry)
  const made = mintedBy(seen, row, entry, said.mint, count)
  return { ...count, ...made, admitted: count.admitted + taken - said.refunded }
}

/** B(t): a row mints its units once, however often it is created. A mint id does the same. */
function mintedBy(
  { before }: Seen,
  row: number,
  entry: BudgetEntry,
  said: string | undefined,
  count: Count,
): Pick<Count, 'minted' | 'mint'> {
  const made = before.rows[row] === null && count.minted === 0 ? (entry.policy?.limit ?? 0) : 0
  const minted = count.minted + made
  if (entry.mint === undefined) return { minted, mint: count.mint }
  const due = count.mint === null ? 'minted' : count.mint === entry.mint.units ? 'repeated' : 'id_conflict'
  must(said === due, 'S3', () => `a mint was answered ${String(said)}, expected ${due}`)
  return due === 'minted' ? { minted: minted + entry.mint.units, mint: entry.mint.units } : { minted, mint: count.mint }
}

/** S5 */
function mustGrowRightly({ before, after, batch }: Seen, row: number, entry: BudgetEntry): void {
  const held = (books: Books): number => books.epochs.find((one) => one.epoch === batch.epoch)?.held[row] ?? 0
  const grew = held(after) > held(before) - entry.spent
  const time = Math.max(before.wall, before.timeSeen)
  const wantedUntil = before.rows[row]?.wantedUntil ?? 0
  must(
    !grew || (entry.wantMs === 0 && wantedUntil <= time),
    'S5',
    () => `a lease on ${entry.key} grew while the row was wanted`,
  )
  const { burned, burnMax } = after.rows[row] ?? { burned: 0, burnMax: Infinity }
  must(!grew || burned < burnMax, 'S5', () => `a lease on ${entry.key} grew after ${burned} units had burned`)
}

function takenOf(batch: Batch, answer: AppliedAnswer, at: number): number {
  let units = 0
  for (const [index, take] of batch.takes.entries())
    for (const [entry, cost] of take.need) if (entry === at) units += cost * (answer.granted[index] ?? 0)
  return units
}

/** L3: a batch that is not applied changes nothing. Only upkeep may burn units. */
function mustNotMove(before: Books, after: Books): void {
  for (const [row, was] of before.rows.entries()) {
    const is = after.rows[row]
    if (was === null || is === undefined || is === null) continue
    must(was.used === is.used && was.minted === is.minted, 'L3', () => `a refused or repeated batch changed ${was.key}`)
  }
}

function recorded(after: Books, batch: Batch, answer: AppliedAnswer, time: number): Books {
  const record: EpochRecord = {
    seq: batch.seq,
    granted: answer.granted,
    refunded: answer.entries.map((entry) => (entry.kind === 'budget' ? entry.refunded : 0)),
    closed: batch.close,
    heardAt: time,
  }
  return withRecord(after, batch.epoch, () => record)
}

function heard(after: Books, epoch: number, time: number): Books {
  return withRecord(after, epoch, (record) => ({ ...record, heardAt: time }))
}

function withRecord(books: Books, epoch: number, change: (record: EpochRecord) => EpochRecord): Books {
  const epochs = books.epochs.map((one) => (one.epoch === epoch ? { ...one, record: change(one.record) } : one))
  return { ...books, epochs }
}

/** S8, L4: an epoch ended without a close by its owner. Its last exchange must be older than the lease lifetime. */
export function auditReaping(bounds: Bounds, before: Books, after: Books): void {
  const time = Math.max(before.wall, before.timeSeen)
  for (const was of before.epochs) {
    const is = after.epochs.find((one) => one.epoch === was.epoch)
    if (is === undefined || was.owner?.state !== 'open' || is.owner?.state !== 'closed' || is.record.closed) continue
    must(
      time > was.record.heardAt + bounds.leaseTtlMs,
      'S8',
      () =>
        `epoch ${was.epoch} was reaped ${time - was.record.heardAt} ms after its last exchange; its lifetime is ${bounds.leaseTtlMs} ms`,
    )
  }
}
