import type { Batch } from '../exchange.ts'
import type { ReservationLot, ReservationRow, ReservationSource } from '../rows.ts'

/* Which reservations a batch names, and which rows those need: for the loads of stores. */

/** Names a reservation, by one of the budgets that it was made from. */
export interface ReservationName {
  readonly key: string
  readonly id: string
}

const NO_NAMES: readonly ReservationName[] = []

/** Each name once, those of takes first. Empty for most batches. */
export function reservationsIn({
  entries,
  takes,
  changes = [],
}: Pick<Batch, 'entries' | 'takes' | 'changes'>): readonly ReservationName[] {
  if (changes.length === 0 && takes.every(({ remember }) => remember === undefined)) return NO_NAMES
  const names = new Map<string, ReservationName>()
  const add = (key: string, id: string): void => void names.set(nameOf(key, id), { key, id })
  for (const { need, remember } of takes) {
    if (remember === undefined) continue
    for (const [at] of need) {
      const entry = entries[at]
      if (entry?.kind === 'budget') add(entry.key, remember.id)
    }
  }
  for (const { key, id } of changes) add(key, id)
  return [...names.values()]
}

/** How many of the first of those are named by takes. */
export function namedByTakes({ entries, takes, changes = [] }: Batch): number {
  if (changes.length === 0) return Infinity
  return reservationsIn({ entries, takes }).length
}

/** How many of the first changes name none of these reservations, which were not loaded. */
export function changesBefore({ changes = [] }: Batch, left: readonly ReservationName[]): number {
  const names = new Set(left.map(({ key, id }) => nameOf(key, id)))
  const at = names.size === 0 ? -1 : changes.findIndex(({ key, id }) => names.has(nameOf(key, id)))
  return at < 0 ? changes.length : at
}

/** The rows that their units came from, each once. @param batch without those that its entries name */
export function sourcesOf(
  rows: readonly ReservationRow[],
  batch?: Batch,
): readonly Pick<ReservationSource, 'key' | 'period'>[] {
  const names = new Map<string, ReservationSource>()
  for (const { lots } of rows)
    for (const { sources } of lots) for (const source of sources) names.set(sourceNameOf(source), source)
  for (const entry of batch?.entries ?? []) {
    if (entry.kind === 'void') continue
    names.delete(sourceNameOf({ key: entry.key, period: entry.kind === 'counter' ? null : entry.period }))
  }
  return [...names.values()].map(({ key, period }) => ({ key, period }))
}

/** The keys by which a reservation is found: those of its budgets, the first one first. */
export function keysOf({ lots }: Pick<ReservationRow, 'lots'>): readonly string[] {
  const keys: string[] = []
  for (const { sources } of lots) for (const { key, period } of sources) if (period !== null) keys.push(key)
  return keys
}

/**
 * When the row is to be swept, in store time: the earliest end of an open lot; with none, when all of them may be forgotten.
 * Stores keep it as an index.
 */
export function sweepAtOf({ lots }: Pick<ReservationRow, 'lots'>): number {
  const open = lots.filter(isOpen)
  if (open.length > 0) return Math.min(...open.map(({ expiresAt }) => expiresAt))
  return Math.max(...lots.map(({ keepUntil }) => keepUntil ?? 0))
}

/** R2: units of each row that are set aside for it: of lots that are open or expired. A row may occur twice. */
export function setAside({ lots }: Pick<ReservationRow, 'lots'>): readonly ReservationSource[] {
  return lots.flatMap(({ state, sources }) =>
    state === 'final' ? [] : sources.filter(({ period, charged }) => period !== null && charged > 0),
  )
}

export function isOpen({ state }: ReservationLot): boolean {
  return state === 'open'
}

/** One text for each key and id. */
export function nameOf(key: string, id: string): string {
  return `${key.length}:${key}${id}`
}

/** One text for each row: no period is empty. */
export function sourceNameOf({ key, period }: Pick<ReservationSource, 'key' | 'period'>): string {
  return `${period ?? ''}:${key}`
}
