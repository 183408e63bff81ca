import { invariant } from '../errors.ts'
import type { Entry, Take } from '../exchange.ts'
import { RowDraft } from '../row-draft.ts'
import type { ReservationLot, ReservationRow, ReservationSource } from '../rows.ts'
import type { EntryEffect } from '../settle-entry.ts'
import { damageOf, type ReservationBooks } from './books.ts'
import type { Remember, TakeOutcome } from './messages.ts'
import { RESERVATION_KEPT_MS } from './settlement.ts'
import { charge, drawInOrder, roomOf, type SourceDraft, sum } from './sources.ts'

/** What one take finds: the entries of its batch, what they have come to, and what is remembered. */
export interface TakeScene {
  readonly entries: readonly Entry[]
  readonly effects: readonly EntryEffect[]
  readonly books: ReservationBooks
  /** F3: nothing is granted. */
  readonly isFrozen: boolean
}

export interface TakeResult {
  /** How many requests were granted now. */
  readonly granted: number
  /** Undefined for a refusal. */
  readonly outcome: TakeOutcome | undefined
}

const REFUSED: TakeResult = { granted: 0, outcome: undefined }

/** R1, I1: once for each id. The same request again is answered from what is remembered, and moves nothing. */
export function grantRemembered(take: Take, remember: Remember, scene: TakeScene): TakeResult {
  if (take.n === 0) return REFUSED
  try {
    return grantOnce(take, remember, scene)
  } catch (error) {
    return { granted: 0, outcome: { kind: 'damaged', detail: damageOf(error) } }
  }
}

/** @throws see `damageOf`, before anything has changed */
function grantOnce(take: Take, remember: Remember, scene: TakeScene): TakeResult {
  const { books, entries, isFrozen } = scene
  // What a void entry stands for is not known, and could not be remembered.
  const named = take.need.flatMap(([at]) => namedBy(entries[at]) ?? [])
  if (named.length < take.need.length) return REFUSED
  const keys = named.flatMap(({ key, period }) => (period === null ? [] : key))
  const known = keys.map((key) => books.find(key, remember.id))
  const request = requestOf(take, remember, entries)
  const row = known.find((one) => one !== undefined)
  if (row !== undefined)
    return { granted: 0, outcome: row.request === request ? repeatOf(row) : { kind: 'id_conflict' } }
  if (take.need.some(([at]) => isDeleted(scene.effects[at]))) return REFUSED
  const sources = take.need.map(([at]) => draftOf(scene.effects[at]))
  const shares = isFrozen ? null : sharesOf(take, sources)
  if (shares === null) return REFUSED
  const as = remember.as === 'admission' ? 'used' : 'reserved'
  sources.forEach((source, at) => charge(source, shares[at] ?? 0, as))
  const made = rowOf({ take, remember, request, named, sources, shares, time: books.time })
  books.add(made)
  return { granted: 1, outcome: outcomeOf(made, false) }
}

/** V2: `n` requests in order, each from the sources in order. `charged` is of all of them. */
export function grantWaterfall({ need, n }: Take, { effects, isFrozen }: TakeScene): TakeResult {
  if (need.some(([at]) => isDeleted(effects[at]))) return REFUSED
  const sources = need.map(([at]) => draftOf(effects[at]))
  const units = need[0]?.[1] ?? 0
  // A counter that is almost full has little room, too.
  const there = sources.reduce((room, source) => Math.min(Number.MAX_SAFE_INTEGER, room + roomOf(source)), 0)
  const granted = isFrozen ? 0 : Math.min(n, Math.floor(there / units))
  if (granted === 0) return REFUSED
  const charged = drawInOrder(sources, granted * units)
  sources.forEach((source, at) => charge(source, charged[at] ?? 0, 'used'))
  return { granted, outcome: { kind: 'drawn', charged } }
}

/** P6, V2: its owner hears, and asks again with a fresh row: without it, later sources would be charged in its place. */
function isDeleted(effect: EntryEffect | undefined): boolean {
  return effect?.kind === 'none' && effect.noRow === 'deleted'
}

/** Units from each source; null when they are not there. */
function sharesOf({ need, first }: Take, sources: readonly (SourceDraft | undefined)[]): readonly number[] | null {
  const units = need.map(([, cost]) => cost)
  if (first !== true)
    return units.every((cost, at) => sources[at] instanceof RowDraft && roomOf(sources[at]) >= cost) ? units : null
  const asked = units[0] ?? 0
  const shares = drawInOrder(sources, asked)
  return sum(shares) === asked ? shares : null
}

/** I1: what was admitted, at least a unit, and has all been given back is not admitted again. */
function repeatOf(row: ReservationRow): TakeOutcome {
  const sources = row.lots.flatMap((lot) => lot.sources)
  const kept = sum(sources.map(({ charged, refunded }) => charged - (refunded ?? 0)))
  return row.as === 'admission' && kept === 0 ? { kind: 'refunded' } : outcomeOf(row, true)
}

/** Of several lots, the state of the one that is furthest from its end. */
function outcomeOf({ lots }: ReservationRow, repeated: boolean): TakeOutcome {
  const [first] = lots
  invariant(first !== undefined, 'a reservation has a lot')
  const charged = lots.flatMap(({ sources }) => sources.map((source) => source.charged))
  const state = lots.find((lot) => lot.state === 'open')?.state ?? lots.find((lot) => lot.state === 'expired')?.state
  const units = sum(lots.map((lot) => lot.units))
  const states = lots.map((lot) => lot.state)
  const apart = states.every((one) => one === states[0]) ? {} : { states }
  return { kind: 'remembered', state: state ?? 'final', ...apart, charged, units, expiresAt: first.expiresAt, repeated }
}

interface Making {
  readonly take: Take
  readonly remember: Remember
  readonly request: string
  /** What each need is taken from, also where there is no row. */
  readonly named: readonly Named[]
  readonly sources: readonly (SourceDraft | undefined)[]
  readonly shares: readonly number[]
  readonly time: number
}

/** A source of a waterfall that gave nothing is remembered, too: it names the request. */
function rowOf({ take, remember, request, named, sources, shares, time }: Making): ReservationRow {
  const isFinal = remember.as === 'admission'
  const parts = named.map((name, at) => {
    const source = sources[at]
    const resets = source instanceof RowDraft ? source.resets : 0
    return { key: name.key, period: name.period, charged: shares[at] ?? 0, refunded: null, resets }
  })
  const lotOf = (own: ReservationLot['sources'], units: number): ReservationLot => ({
    units,
    uncovered: 0,
    state: isFinal ? 'final' : 'open',
    expiresAt: isFinal ? 0 : time + remember.ttlMs,
    keepUntil: isFinal ? time + RESERVATION_KEPT_MS : null,
    sources: own,
  })
  const lots =
    take.first === true ? [lotOf(parts, take.need[0]?.[1] ?? 0)] : parts.map((part) => lotOf([part], part.charged))
  const [key = ''] = parts.flatMap((part) => (part.period === null ? [] : part.key))
  const { id, as, onExpire } = remember
  return { key, id, as, request, onExpire, lots }
}

/** The operation, the form, the budgets in order and their units. What a repeat says of the end is ignored. */
function requestOf({ need, first }: Take, { as }: Remember, entries: readonly Entry[]): string {
  const sources = need.map(([at, cost]) => {
    const entry = entries[at]
    return entry === undefined || entry.kind === 'void' ? '' : [entry.kind === 'counter' ? 'c' : 'b', entry.key, cost]
  })
  return JSON.stringify([as, first === true ? 'first' : 'all', sources])
}

type Named = Pick<ReservationSource, 'key' | 'period'>

function namedBy(entry: Entry | undefined): Named | undefined {
  if (entry === undefined || entry.kind === 'void') return undefined
  return { key: entry.key, period: entry.kind === 'budget' ? entry.period : null }
}

/** Of a budget: a counter names no reservation. */
export function budgetKey(entry: Entry | undefined): readonly string[] {
  return entry?.kind === 'budget' ? [entry.key] : []
}

function draftOf(effect: EntryEffect | undefined): SourceDraft | undefined {
  return effect === undefined || effect.kind === 'none' ? undefined : effect.draft
}
