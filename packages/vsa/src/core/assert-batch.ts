import { invariant } from './errors.ts'
import { BATCH_ENTRIES_MAX, type Batch } from './exchange.ts'
import { isUnits } from './units.ts'

/** Engines build batches, so a malformed one is a bug, and must not change a row. @throws InvariantError */
export function assertBatch(batch: Batch): void {
  invariant(
    Number.isSafeInteger(batch.epoch) && batch.epoch > 0,
    `batch.epoch must be a positive integer, got ${batch.epoch}`,
  )
  // A user's store may hand on what it got: `typeof` is not certain there.
  invariant(typeof batch.token === 'string' && batch.token !== '', 'batch.token must be the text that the join gave')
  invariant(
    typeof batch.incarnation === 'string' && batch.incarnation !== '',
    'batch.incarnation must be the text that the join gave',
  )
  invariant(Number.isSafeInteger(batch.seq) && batch.seq > 0, `batch.seq must be a positive integer, got ${batch.seq}`)
  invariant(
    batch.entries.length <= BATCH_ENTRIES_MAX,
    `a batch carries at most ${BATCH_ENTRIES_MAX} entries, got ${batch.entries.length}`,
  )
  invariant(
    batch.takes.length <= BATCH_ENTRIES_MAX,
    `a batch carries at most ${BATCH_ENTRIES_MAX} runs of takes, got ${batch.takes.length}`,
  )
  const changes = batch.changes?.length ?? 0
  invariant(changes <= BATCH_ENTRIES_MAX, `a batch carries at most ${BATCH_ENTRIES_MAX} changes, got ${changes}`)
  for (const change of batch.changes ?? []) {
    invariant(isUnits(change.units), `a change is of a number of units, got ${change.units}`)
    invariant(change.op !== 'extend' || isUnits(change.ttlMs), 'a reservation is extended by a time')
  }
  if (batch.entries.length < 2) return
  const rows = new Set<string>()
  for (const entry of batch.entries) {
    if (entry.kind === 'void') continue
    const name = entry.kind === 'budget' ? `${entry.period}:${entry.key}` : `counter:${entry.key}`
    invariant(!rows.has(name), `a batch names each row once, got ${name} twice`)
    rows.add(name)
  }
}
