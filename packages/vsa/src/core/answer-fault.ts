import type { Batch, Entry } from './exchange.ts'
import { describe, isUnits } from './units.ts'

/*
 * What comes from a store is checked before any of it is used: a store of a user's own, a wrapped one or a damaged connection may answer
 * anything. Each function names the first fault; null where the answer has the form that `exchange.ts` and `store.ts` say.
 */

type Fields = Readonly<Record<string, unknown>>

const UNIT_FIELDS = [
  'held',
  'used',
  'burned',
  'minted',
  'limit',
  'version',
  'others',
  'othersHeld',
  'refunded',
] as const
const MINT_OUTCOMES: readonly unknown[] = ['minted', 'repeated', 'id_conflict', 'units_overflow']

const TAKE_OUTCOMES: readonly unknown[] = ['drawn', 'remembered', 'id_conflict', 'refunded', 'damaged']
const CHANGE_OUTCOMES: readonly unknown[] = [
  ...['settled', 'extended', 'refused', 'not_open', 'refunded', 'not_final', 'unknown', 'damaged'],
]

const UNITS_WANTED = 'units, 0 to 2^53 - 1'

const NO_ROWS: readonly unknown[] = ['period_closed', 'row_lost', 'deleted', 'void']

/** Ends a check. Never leaves this file. */
class Fault extends Error {}

/** @param answer what `store.join` gave */
export function faultOfJoined(answer: unknown): string | null {
  return faultOf(() => {
    const joined = fieldsOf('the answer', answer)
    const { epoch, token, time, leaseTtlMs, upkeepDueInMs } = joined
    if (!isUnits(epoch) || epoch === 0) wrong('epoch', epoch, 'a whole number above 0')
    if (typeof token !== 'string' || token === '') wrong('token', token, 'a text')
    if (typeof joined['incarnation'] !== 'string' || joined['incarnation'] === '')
      wrong('incarnation', joined['incarnation'], 'a text')
    if (typeof joined['mayForget'] !== 'boolean') wrong('mayForget', joined['mayForget'], 'true or false')
    checkTime('frozenUntil', joined['frozenUntil'])
    checkTime('time', time)
    if (typeof leaseTtlMs !== 'number' || !(leaseTtlMs > 0)) wrong('leaseTtlMs', leaseTtlMs, 'a number above 0')
    if (upkeepDueInMs !== undefined && upkeepDueInMs !== null && !isUnits(upkeepDueInMs))
      wrong('upkeepDueInMs', upkeepDueInMs, 'a whole number or null')
  })
}

/** @param answer what `store.exchange` gave for the batch */
export function faultOfAnswer(batch: Batch, answer: unknown): string | null {
  return faultOf(() => {
    const fields = fieldsOf('the answer', answer)
    checkTime('time', fields['time'])
    switch (fields['kind']) {
      case 'applied':
      case 'replayed':
        return checkApplied(batch, fields)
      case 'fenced':
        if (typeof fields['forgot'] !== 'boolean') wrong('forgot', fields['forgot'], 'true or false')
        checkGone(batch, fields['gone'])
        return checkLast(batch, fields['last'])
      case 'breach':
        return checkBreach(fields)
      case 'stale':
      case 'lost':
        return undefined
      default:
        return wrong('kind', fields['kind'], 'a kind of answer')
    }
  })
}

function faultOf(check: () => void): string | null {
  try {
    check()
    return null
  } catch (error) {
    // An answer may also be an object whose fields throw.
    return error instanceof Fault ? error.message : `the answer cannot be read: ${String(error)}`
  }
}

function checkApplied({ entries, takes, changes }: Batch, answer: Fields): void {
  checkTime('expiresAt', answer['expiresAt'])
  checkTime('frozenUntil', answer['frozenUntil'])
  const { mayForget } = answer
  if (mayForget !== undefined && typeof mayForget !== 'boolean') wrong('mayForget', mayForget, 'true or false')
  checkEntries(entries, listOf('entries', answer['entries'], entries.length))
  const isReplay = answer['kind'] === 'replayed'
  for (const [at, granted] of listOf('granted', answer['granted'], takes.length).entries()) {
    // No text is built unless there is a fault.
    if (!isUnits(granted)) wrong(`granted ${at}`, granted, UNITS_WANTED)
    const asked = takes[at]?.n ?? 0
    // Of a run that was left out (S6), a replay may still tell what it was granted.
    const most = asked === 0 && isReplay ? Infinity : asked
    if (granted > most) wrong(`granted ${at}`, granted, `at most ${most}`)
  }
  for (const [at, row] of listOf('wanted', answer['wanted']).entries()) {
    const { key, period } = fieldsOf(`wanted ${at}`, row)
    if (typeof key !== 'string') wrong(`wanted ${at}.key`, key, 'a string')
    checkInteger(`wanted ${at}.period`, period)
  }
  checkCredits(takes, changes, answer['credits'])
  checkWritten(answer['written'])
}

/** What became of takes that are remembered or have several sources, and of the first changes: the others are sent again, and without one outcome that would go on for ever. */
function checkCredits(takes: Batch['takes'], changes: Batch['changes'], credits: unknown): void {
  const isNamed = takes.some(({ remember, first }) => remember !== undefined || first === true)
  if (credits === undefined && (changes ?? []).length === 0) return
  if (!isNamed && (changes ?? []).length === 0) return
  const { takes: byTake, changes: outcomes } = fieldsOf('credits', credits)
  const asked = (changes ?? []).length
  const told = listOf('credits.changes', outcomes)
  if (told.length > asked || (told.length === 0 && asked > 0))
    wrong('credits.changes', outcomes, `a list of ${Math.min(1, asked)} to ${asked}`)
  for (const [at, outcome] of told.entries()) {
    const { kind, units, settled, uncovered } = fieldsOf(`credits.change ${at}`, outcome)
    if (!CHANGE_OUTCOMES.includes(kind)) wrong(`credits.change ${at}.kind`, kind, 'an outcome of a change')
    for (const count of [units, settled, uncovered]) if (count !== undefined) checkUnits(`credits.change ${at}`, count)
  }
  for (const [at, outcome] of Object.entries(fieldsOf('credits.takes', byTake)))
    checkTake(at, takes[Number(at)], outcome)
}

function checkTake(at: string, take: Batch['takes'][number] | undefined, outcome: unknown): void {
  const { kind, charged } = fieldsOf(`credits.take ${at}`, outcome)
  if (!TAKE_OUTCOMES.includes(kind)) wrong(`credits.take ${at}.kind`, kind, 'an outcome of a take')
  if (kind !== 'drawn' && kind !== 'remembered') return
  for (const units of listOf(`credits.take ${at}.charged`, charged, take?.need.length))
    checkUnits(`credits.take ${at}.charged`, units)
}

/** Builds no text unless there is a fault: this runs for each row of each exchange. */
function checkEntries(entries: readonly Entry[], answers: readonly unknown[]): void {
  let at = 0
  try {
    for (const entry of entries) {
      checkEntry(entry, fieldsOf('its answer', answers[at]))
      at += 1
    }
  } catch (error) {
    throw error instanceof Fault ? new Fault(`entry ${at}: ${error.message}`) : error
  }
}

function checkEntry(entry: Entry, answer: Fields): void {
  const { kind, refunded } = answer
  switch (entry.kind) {
    case 'void':
      if (kind !== 'void') wrong('kind', kind, 'void')
      return
    case 'counter':
      if (kind !== 'counter') wrong('kind', kind, 'counter')
      checkInteger('value', answer['value'])
      if (typeof answer['overflow'] !== 'boolean') wrong('overflow', answer['overflow'], 'a boolean')
      return
    case 'budget':
      if (kind === 'period_closed' || kind === 'row_lost' || kind === 'deleted') return
      if (kind === 'budget') checkBudget(answer)
      else if (kind !== 'removed') wrong('kind', kind, 'an answer to a budget')
      checkUnits('refunded', refunded)
      if (refunded > entry.refund) wrong('refunded', refunded, `at most ${entry.refund}`)
  }
}

function checkBudget(answer: Fields): void {
  for (const name of UNIT_FIELDS) checkUnits(name, answer[name])
  checkInteger('pool', answer['pool'])
  if (answer['mint'] !== undefined) checkMint('mint', answer['mint'])
}

/** F7 */
function checkGone({ entries }: Batch, gone: unknown): void {
  for (const [at, units] of listOf('gone', gone, entries.length).entries())
    if (units !== null) checkUnits(`gone ${at}`, units)
}

/** What became of the last batch of an epoch that has ended. */
function checkLast({ seq, takes }: Batch, last: unknown): void {
  if (last === null || last === undefined) return
  const { seq: lastSeq, outcome } = fieldsOf('last', last)
  checkUnits('last.seq', lastSeq)
  // Only the outcome of this batch is used.
  if (lastSeq !== seq) return
  const { granted, notes, written } = fieldsOf('last.outcome', outcome)
  for (const [at, count] of listOf('last.granted', granted, takes.length).entries())
    checkUnits(`last.granted ${at}`, count)
  for (const [at, note] of Object.entries(fieldsOf('last.notes', notes))) checkNote(`last.note ${at}`, note)
  checkWritten(written)
}

function checkNote(where: string, note: unknown): void {
  const { refunded, mint, noRow, overflow } = fieldsOf(where, note)
  if (noRow !== undefined && !NO_ROWS.includes(noRow)) wrong(`${where}.noRow`, noRow, 'why there is no row')
  if (overflow !== undefined && typeof overflow !== 'boolean') wrong(`${where}.overflow`, overflow, 'a boolean')
  if (refunded !== undefined) checkUnits(`${where}.refunded`, refunded)
  if (mint !== undefined) checkMint(`${where}.mint`, mint)
}

function checkBreach({ row, detail }: Fields): void {
  if (detail !== undefined && typeof detail !== 'string') wrong('detail', detail, 'a string')
  if (row === undefined) return
  const { key, period } = fieldsOf('row', row)
  if (typeof key !== 'string') wrong('row.key', key, 'a string')
  checkInteger('row.period', period)
}

function checkWritten(written: unknown): void {
  const { records, leaseRecords } = fieldsOf('written', written)
  checkUnits('written.records', records)
  checkUnits('written.leaseRecords', leaseRecords)
}

function checkMint(where: string, mint: unknown): void {
  if (!MINT_OUTCOMES.includes(mint)) wrong(where, mint, 'the outcome of a mint')
}

function checkTime(where: string, time: unknown): void {
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0) wrong(where, time, 'ms since 1970')
}

function checkInteger(where: string, value: unknown): void {
  if (!Number.isSafeInteger(value)) wrong(where, value, 'a safe integer')
}

function checkUnits(where: string, value: unknown): asserts value is number {
  if (!isUnits(value)) wrong(where, value, UNITS_WANTED)
}

function fieldsOf(where: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null) wrong(where, value, 'an object')
  return value as Fields
}

function listOf(where: string, value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) wrong(where, value, 'a list')
  const list: readonly unknown[] = value
  if (length !== undefined && list.length !== length) wrong(where, list.length, `a list of ${length}`)
  return list
}

function wrong(where: string, value: unknown, wanted: string): never {
  throw new Fault(`${where} must be ${wanted}, got ${describe(value)}`)
}
