import type { AppliedAnswer, Batch, BudgetEntry } from '../../../packages/vsa/dist/index.js'
import { limitChangeOf, type Settling } from './applied-batch.ts'
import type { Epochs } from './epochs.ts'
import { rowName } from './process-totals.ts'
import type { Held } from './reservation-moves.ts'
import { heldOn, type RowChange, type RowView } from './row-view.ts'
import { must } from './violation.ts'

const MINUTE_MS = 60_000

/** L3: a row without an entry changes only when a lease burns, and by reservations. @param moved what those moved */
export function assertUntouched({ name, was, row }: RowChange, burned: number, moved: Held): void {
  must(was !== undefined, 'S4', () => `${name} was created without an exchange`)
  const { budget } = was
  const expected = {
    used: budget.used + moved.used,
    minted: budget.minted,
    pool: budget.pool - moved.used - moved.reserved,
    limit: budget.limit,
    version: budget.version,
  }
  for (const part of ['used', 'minted', 'pool', 'limit', 'version'] as const) {
    must(
      expected[part] === row.budget[part],
      'L3',
      () =>
        `${name}: ${part} went from ${budget[part]} to ${row.budget[part]}, not to ${expected[part]}, without an exchange (burned ${burned})`,
    )
  }
  for (const epoch of row.leases.keys())
    must(was.leases.has(epoch), 'L3', () => `${name}: epoch ${epoch} has a new lease without an exchange`)
}

/** S4. @param time store time, ms since 1970 */
export function assertMayBegin(name: string, { known, policy, period }: BudgetEntry, time: number): void {
  must(!known && policy !== undefined, 'S4', () => `${name} was known, and was created again`)
  const { endsAt } = policy
  if (endsAt === null) return
  must(
    endsAt > time - MINUTE_MS,
    'S4',
    () => `${name} was created after its period ended at ${endsAt}; store time is ${time}`,
  )
  const aheadMs = Math.min(endsAt - period, MINUTE_MS)
  must(
    period <= time + aheadMs,
    'S4',
    () => `${name} was created too early, for a period from ${period}; store time is ${time}`,
  )
}

/** S3: `used` changes by the units spent, taken and refunded, exactly. */
export function assertSpent({ name, was, row, entry, said, taken, base, moved }: Settling): void {
  if (entry.reset === true) return assertReset({ name, was, row, taken, moved })
  // In the order of S3, so that no intermediate sum exceeds minted.
  const used = (was?.budget.used ?? 0) + entry.spent - said.refunded + taken + moved.used
  must(
    row.budget.used === used,
    'L3',
    () => `${name}: used is ${row.budget.used}; spent, taken and refunded units, and reservations, give ${used}`,
  )
  must(base >= 0, 'L3', () => `${name}: ${entry.spent} spent of a lease of ${base + entry.spent}`)
  must(said.refunded <= entry.refund, 'S3', () => `${name}: ${said.refunded} of ${entry.refund} were refunded`)
}

/** P5: nothing is used but what came behind it: takes, and what reservations moved. Upkeep before it may have moved some of that. */
function assertReset({
  name,
  was,
  row,
  taken,
  moved,
}: Pick<Settling, 'name' | 'was' | 'row' | 'taken' | 'moved'>): void {
  const { used, resets } = row.budget
  const before = was?.budget.resets ?? 0
  must(resets === before + 1, 'P5', () => `${name}: a reset moved the count of resets from ${before} to ${resets}`)
  must(
    used >= taken && used <= taken + Math.max(0, moved.used),
    'P5',
    () => `${name}: behind a reset ${used} are used; ${taken} were taken, and reservations moved ${moved.used}`,
  )
}

/** S3: units are created by mints and by limit changes only. @param minted units that the entry's mint created */
export function assertMinted(settling: Settling, minted: number): void {
  const { name, was, row } = settling
  const isOlder = was !== undefined && row.budget.version < was.budget.version
  must(!isOlder, 'S3', () => `${name}: version ${row.budget.version} changed what a newer one had declared`)
  const limitChange = limitChangeOf(settling)
  const before = was?.budget.minted ?? row.budget.limit
  must(
    row.budget.minted === before + minted + limitChange,
    'L1',
    () => `${name}: minted went from ${before} to ${row.budget.minted}, by ${minted} and ${limitChange}`,
  )
}

/** L6: a denial changes no minted, used, burned or limit. @param minted units that the entry's mint created @param burned of ended epochs */
export function assertDenialFree(settling: Settling, minted: number, burned: number): void {
  const { name, was, row, entry, said, taken, denied, moved } = settling
  const movesNothing = moved.used === 0 && moved.reserved === 0
  const settlesNothing = movesNothing && taken === 0 && entry.spent === 0 && said.refunded === 0 && minted === 0
  if (was === undefined || !denied || !settlesNothing || row.budget.version !== was.budget.version) return
  if (entry.reset === true) return
  const figures = ({ budget }: RowView): string => JSON.stringify([budget.minted, budget.used, budget.limit])
  const isSame = figures(was) === figures(row) && row.budget.burned === was.budget.burned + burned
  must(
    isSame,
    'L6',
    () => `${name}: a denial changed ${figures(was)} to ${figures(row)}, and burned more than ${burned}`,
  )
}

/** O3, S5: the lease moves towards the requested size, and grows only where that is allowed. @param time store time, ms since 1970 */
export function assertHeld(settling: Settling, time: number, epochs: Epochs): void {
  const { name, row, entry, taken, base, held, moved } = settling
  const { pool, wantedUntil, burnMax } = row.budget
  const burned = row.budget.burned + closedUnits(row, epochs)
  // What a lease gives back comes after the takes, and what it gets.
  const isTaken = taken > 0 || moved.used + moved.reserved > 0
  const left = pool + held - base
  must(!isTaken || left >= 0, 'S3', () => `${name}: units were taken, and the pool was ${left} then`)
  if (held <= base)
    return must(
      held >= Math.min(entry.hold, base),
      'S3',
      () => `${name}: the lease fell from ${base} to ${held}, and ${entry.hold} were requested`,
    )
  must(
    held <= entry.hold,
    'S3',
    () => `${name}: the lease grew from ${base} to ${held}, and ${entry.hold} were requested`,
  )
  must(wantedUntil <= time, 'S5', () => `${name}: a lease grew while the row was wanted`)
  must(burned < burnMax, 'S5', () => `${name}: a lease grew after ${burned} of ${burnMax} had burned`)
  must(pool >= 0, 'S3', () => `${name}: a lease grew, and the pool is ${pool}`)
}

/** S7: the figures of the answer are those of the rows. */
export function assertFigures(
  batch: Batch,
  answer: AppliedAnswer,
  rows: ReadonlyMap<string, RowView>,
  epochs: Epochs,
): void {
  must(answer.entries.length === batch.entries.length, 'S7', () => 'an answer lacks entries')
  for (const [index, said] of answer.entries.entries()) {
    const entry = batch.entries[index]
    if (said.kind !== 'budget' || entry?.kind !== 'budget') continue
    const row = rows.get(rowName(entry.key, entry.period))
    must(row !== undefined, 'S7', () => `${entry.key} ${entry.period} is answered, and the row does not exist`)
    const { minted, used, reserved, pool, limit, version } = row.budget
    const closed = closedUnits(row, epochs)
    const burned = row.budget.burned + closed
    const held = row.leases.get(batch.epoch) ?? 0
    must(
      closed === 0 || said.burned !== row.budget.burned,
      'S8',
      () => `${entry.key} ${entry.period}: ${closed} units of closed epochs are not answered as burned`,
    )
    const othersHeld = heldOn(row) - held - closed
    const kept = { held, minted, used, reserved, pool, burned, limit, version, othersHeld }
    for (const [name, value] of Object.entries(kept)) {
      const answered = said[name as keyof typeof kept] ?? 0
      must(
        answered === value,
        'S7',
        () => `${entry.key} ${entry.period}: ${name} is ${value}, and is answered as ${answered}`,
      )
    }
  }
}

/** Units of leases that count as burned though their row has not been rewritten yet (S8). */
function closedUnits(row: RowView, epochs: Epochs): number {
  return epochs.leasesOf(row).burned
}

/** R2: what is set aside of a row is what its reservations have, and nothing else. */
export function assertReserved(name: string, { budget }: RowView, { reserved }: Held): void {
  must(
    budget.reserved === reserved,
    'R2',
    () => `${name}: ${budget.reserved} are reserved, and its open and expired reservations have ${reserved}`,
  )
}
