import type { Take } from '../../../packages/vsa/dist/index.js'
import type { AppliedBatch } from './applied-batch.ts'
import { sumOf } from './lot-replay.ts'
import { rowName } from './process-totals.ts'
import type { RowView } from './row-view.ts'
import { must } from './violation.ts'

const UNITS_MAX = Number.MAX_SAFE_INTEGER

/**
 * V1, R1: takes that are remembered, or that have several sources. Within a batch pools only fall while takes are granted, so what they have left shows
 * that an earlier source was empty where a later one gave, and that what was refused was not there.
 * @param areFalling no take of the batch can have touched a reservation that was due, whose units went back between two takes
 * @throws Violation
 */
export function assertTakes(applied: AppliedBatch, before: ReadonlyMap<string, RowView>, areFalling: boolean): void {
  const { batch, answer } = applied
  for (const [at, take] of batch.takes.entries()) {
    if (take.remember === undefined && take.first !== true) continue
    const left = take.need.map(([index]) => leftIn(applied, before, index))
    const granted = answer.granted[at] ?? 0
    const outcome = answer.credits?.takes[at]
    const text = (): string =>
      `${JSON.stringify(take)} was answered ${granted}, ${JSON.stringify(outcome)}; ${left.join()} are left`
    must(outcome?.kind !== 'damaged', 'S6', text)
    if (outcome === undefined) must(granted === 0, 'V1', text)
    else if (outcome.kind === 'drawn') {
      must(take.remember === undefined && outcome.charged.length === take.need.length, 'V1', text)
      must(sumOf(outcome.charged) === granted * (take.need[0]?.[1] ?? 0), 'V1', text)
    }
    const charged = outcome?.kind === 'drawn' || outcome?.kind === 'remembered' ? outcome.charged : []
    must(
      charged.every((units) => units >= 0),
      'V1',
      text,
    )
    const isDeleted = take.need.some(([index]) => answer.entries[index]?.kind === 'deleted')
    // P6: its owner hears, and asks again with a fresh row. Without it, later sources would be charged in its place.
    must(!isDeleted || granted === 0, 'P6', text)
    if (!areFalling || isDeleted) continue
    if (take.first === true && granted > 0) must(isInOrder(charged, left), 'V1', text)
    const isRefused = take.remember === undefined ? granted < take.n : outcome === undefined && take.n > 0
    if (isRefused) must(isLacking(take, left), take.first === true ? 'V1' : 'R1', text)
  }
}

/** No source gives before the ones in front of it are empty. */
function isInOrder(charged: readonly number[], left: readonly number[]): boolean {
  const last = charged.findLastIndex((units) => units > 0)
  return left.every((pool, at) => at >= last || pool <= 0)
}

function isLacking({ need, first }: Take, left: readonly number[]): boolean {
  if (first !== true) return need.some(([, cost], at) => (left[at] ?? 0) < cost)
  return left.reduce((room, pool) => Math.min(UNITS_MAX, room + Math.max(0, pool)), 0) < (need[0]?.[1] ?? 0)
}

/** The pool as the takes of the batch have left it, before leases moved; of a counter, what it can still count. 0 where there is no row. */
function leftIn({ batch, answer }: AppliedBatch, before: ReadonlyMap<string, RowView>, index: number): number {
  const entry = batch.entries[index]
  const said = answer.entries[index]
  if (said?.kind === 'counter') return Math.min(UNITS_MAX, UNITS_MAX - said.value)
  if (entry?.kind !== 'budget' || said?.kind !== 'budget') return 0
  const base = (before.get(rowName(entry.key, entry.period))?.leases.get(batch.epoch) ?? 0) - entry.spent
  return said.pool + said.held - base
}
