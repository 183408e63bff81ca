import type { Budget, Family, Vsa } from 'vsa'
import type { Counted, Variant } from '../measure/variant.ts'
import * as bare from './bare.ts'
import { makeCells } from './cell.ts'
import { inOrder, type Keys } from './keys.ts'
import * as loops from './vsa-loops.ts'

/** The least speed, as a fraction of the same loop without VSA. */
const FLOOR = 0.7
/** The least speed of a waterfall, as a fraction of `admitAll` of as many budgets. */
const WATERFALL_FLOOR = 0.5
/** The least speed of a pair of `tryReserve` and `settle`, as a fraction of one of `tryAdmit` and `refund`. */
const RESERVATION_FLOOR = 0.5

export function gateVariants(vsa: Vsa, family: Family, budgets: readonly Budget[], keys: Keys): readonly Variant[] {
  const handles = inOrder(budgets, keys)
  const ids = inOrder(keys.ids, keys)
  const cells = makeCells(keys.ids.length)
  const ordered = inOrder(cells, keys)
  const map = new Map(keys.ids.map((id, at) => [id, cells[at] ?? { left: 0 }]))
  const used = new Map(keys.ids.map((id) => [id, 0]))
  return [
    baseLine('cells', bare.cellsLoop(ordered)),
    {
      ...baseLine('cells, and a call when spent', bare.cellsRefillLoop(inOrder(makeCells(keys.ids.length), keys))),
      base: 'cells',
    },
    compared('tryAdmit by handle', 'cells', FLOOR, loops.handlesLoop(handles)),
    baseLine('cells, costs 1-4', bare.cellsMixedLoop(ordered)),
    compared('tryAdmit by handle, costs 1-4', 'cells, costs 1-4', FLOOR, loops.handlesMixedLoop(handles)),
    baseLine('Map.get and cell', bare.mapLoop(map, ids)),
    compared('tryAdmit by key', 'Map.get and cell', FLOOR, loops.byKeyLoop(family, ids)),
    baseLine('Map.get alone', bare.mapGetLoop(map, ids)),
    compared('family.of alone', 'Map.get alone', null, loops.familyOfLoop(family, ids)),
    baseLine('Map check and add', bare.mapAddLoop(used, ids)),
    baseLine('cells, spend and give back', bare.cellsChurnLoop(ordered)),
    compared('tryAdmit and refund', 'cells, spend and give back', null, loops.handlesChurnLoop(handles)),
    compared('tryReserve and settle', 'tryAdmit and refund', RESERVATION_FLOOR, loops.reservationsLoop(handles)),
    baseLine('cells, three at once', bare.cellsOfThreeLoop(inThrees(ordered))),
    compared('tryAdmitAll of three', 'cells, three at once', null, loops.tryAdmitAllLoop(vsa, needsOf(handles))),
    awaitedBase('await an async function', bare.awaitedLoop(ordered)),
    awaitedBase('await a promise made before', bare.awaitedReadyLoop(ordered)),
    {
      name: 'await admit',
      base: 'await an async function',
      floor: FLOOR,
      spends: true,
      awaits: true,
      run: loops.awaitAdmitLoop(handles),
    },
    {
      ...awaitedBase('await admitAll of three', loops.awaitAdmitAllLoop(vsa, needsOf(handles))),
      spends: true,
    },
    {
      name: 'await admitFirst of three',
      base: 'await admitAll of three',
      floor: WATERFALL_FLOOR,
      spends: true,
      awaits: true,
      run: loops.awaitAdmitFirstLoop(vsa, inThrees(handles)),
    },
  ]
}

/** Each with the two that follow it. */
function inThrees<T>(all: readonly T[]): readonly (readonly T[])[] {
  return all.map((_, at) => [0, 1, 2].flatMap((next) => all[(at + next) % all.length] ?? []))
}

function needsOf(handles: readonly Budget[]): readonly (readonly (readonly [Budget, number])[])[] {
  return inThrees(handles).map((three) => three.map((budget) => [budget, 1] as const))
}

function baseLine(name: string, run: (rounds: number) => Counted): Variant {
  return { name, base: null, floor: null, spends: false, awaits: false, run }
}

function awaitedBase(name: string, run: (rounds: number) => Promise<Counted>): Variant {
  return { name, base: null, floor: null, spends: false, awaits: true, run }
}

function compared(name: string, base: string, floor: number | null, run: (rounds: number) => Counted): Variant {
  return { name, base, floor, spends: true, awaits: false, run }
}
