import type { EarlierTerms, EntryRows, LoadedBudget, LoadedCounter, SourceRows } from '../../core/adapter.ts'
import { deletedKeysFrom } from '../../core/deleted-keys.ts'
import { InvariantError } from '../../core/errors.ts'
import type { BudgetEntry, Entry, RowName } from '../../core/exchange.ts'
import type { LeaseRow } from '../../core/rows.ts'
import { encodeText } from '../../core/stored-text.ts'
import type { StatementCache } from './client/statement-cache.ts'
import type { CachedBudget, Opening, RowCache } from './row-cache.ts'
import { BUDGET_WIDTH, budgetFrom, firstInteger, integer, integerOrNull, leaseFrom } from './rows.ts'
import * as sql from './sql.ts'

/** Where the rows of an exchange come from. */
export interface Source {
  readonly statements: StatementCache
  readonly cache: RowCache
}

/** Who asks, and when: `time` is store time, ms since 1970, and not needed where no row is claimed to be known. */
interface Asker {
  readonly epoch: number
  readonly time?: number
}

/** The row of one entry. */
export function loadEntry(source: Source, entry: Entry, asker: Required<Asker>, opening: Opening): EntryRows | null {
  switch (entry.kind) {
    case 'void':
      return null
    case 'counter':
      return unlessDamaged(() => loadCounter(source, entry.key))
    case 'budget':
      return unlessDamaged(() => loadBudget(source, entry, asker, opening))
  }
}

/** A row that a reservation was made from. @param period null for a counter */
export function loadSource(
  source: Source,
  { key, period }: Pick<SourceRows, 'key' | 'period'>,
  epoch: number,
  opening: Opening,
): EntryRows {
  if (period === null) return unlessDamaged(() => loadCounter(source, key))
  return unlessDamaged(() => loadBudget(source, { key, period, known: false }, { epoch }, opening))
}

/** A value that this store cannot have written (S6): the answer names the row, and other rows are not affected. */
function unlessDamaged(load: () => EntryRows): EntryRows {
  try {
    return load()
  } catch (error) {
    if (error instanceof InvariantError) return { kind: 'damaged', detail: error.message }
    throw error
  }
}

function loadCounter({ statements, cache }: Source, key: string): LoadedCounter {
  const cached = cache.counter(key)
  if (cached !== undefined) return { kind: 'counter', value: cached }
  const value = integer(statements.statement(sql.COUNTER).get([encodeText(key)])?.[0] ?? 0)
  cache.keepCounter(key, value)
  return { kind: 'counter', value }
}

function loadBudget(
  source: Source,
  entry: RowName & Pick<BudgetEntry, 'known' | 'mint' | 'policy'>,
  { epoch, time = 0 }: Asker,
  { isBurning, hasDeletions }: Opening,
): LoadedBudget {
  const { key, period, known, mint, policy } = entry
  const mintedBefore = mint === undefined ? undefined : loadMint(source.statements, encodeText(key), mint.id)
  const found = isBurning
    ? readBudget(source.statements, key, period, epoch, true)
    : { ...cachedBudget(source, key, period, epoch), ended: NONE }
  const { row, held, others, othersHeld, ended } = found
  const loaded = { kind: 'budget', row, held, others, othersHeld, ended, mintedBefore } as const
  if (hasDeletions && isDeletedLease(source.statements, entry, epoch)) return { ...loaded, isDeleted: true }
  if (row === undefined && known && isDeletedKey(source.statements, key, time)) return { ...loaded, isDeleted: true }
  if (row !== undefined || policy?.kind !== 'window') return loaded
  return { ...loaded, earlier: loadEarlier(source.statements, key, period) }
}

/** P6 */
function isDeletedLease(statements: StatementCache, { key, period }: RowName, epoch: number): boolean {
  return statements.statement(sql.DELETED_LEASE).get([epoch, encodeText(key), period]) !== undefined
}

/** P6 */
function isDeletedKey(statements: StatementCache, key: string, time: number): boolean {
  return statements.statement(sql.DELETED_KEY).get([encodeText(key), deletedKeysFrom(time)]) !== undefined
}

function cachedBudget({ statements, cache }: Source, key: string, period: number, epoch: number): CachedBudget {
  const cached = cache.budget(key, period, epoch)
  if (cached !== undefined) return cached
  const { row, held, others, othersHeld } = readBudget(statements, key, period, epoch, false)
  const budget = { row, held, others, othersHeld }
  cache.keepBudget(key, period, epoch, budget)
  return budget
}

/** P2 */
function loadEarlier(statements: StatementCache, key: string, period: number): EarlierTerms | undefined {
  const row = statements.statement(sql.EARLIER_BUDGET).get([encodeText(key), period])
  if (row === undefined) return undefined
  const [limit, burnMax, version, start] = row.slice(0, 4).map(integer)
  if (limit === undefined || burnMax === undefined || version === undefined || start === undefined) return undefined
  return { limit, burnMax, version, period: start, endsAt: integerOrNull(row[4]) }
}

function readBudget(
  statements: StatementCache,
  key: string,
  period: number,
  epoch: number,
  isBurning: boolean,
): Omit<LoadedBudget, 'kind' | 'mintedBefore' | 'earlier' | 'isDeleted'> {
  const text = encodeText(key)
  const row = statements.statement(sql.BUDGET).get([epoch, epoch, epoch, text, period])
  if (row === undefined) return NO_BUDGET
  const others = integer(row[BUDGET_WIDTH + 1])
  const ended = isBurning && others > 0 ? loadEndedOn(statements, text, period) : NONE
  return {
    row: budgetFrom(row),
    held: integer(row[BUDGET_WIDTH]),
    others: others - ended.length,
    othersHeld: ended.reduce((sum, lease) => sum - lease.held, integer(row[BUDGET_WIDTH + 2])),
    ended,
  }
}

const NONE: readonly LeaseRow[] = []
const NO_BUDGET = { row: undefined, held: 0, others: 0, othersHeld: 0, ended: NONE }

function loadEndedOn(statements: StatementCache, key: string, period: number): readonly LeaseRow[] {
  return statements.statement(sql.ENDED_LEASES_ON).all([key, period]).map(leaseFrom)
}

function loadMint(statements: StatementCache, key: string, id: string): number | undefined {
  const row = statements.statement(sql.MINT).get([key, encodeText(id)])
  return row === undefined ? undefined : firstInteger(row)
}
