import { admitted, type Counted } from '../measure/variant.ts'
import { COSTS, COSTS_MASK, UNITS, type Cell } from './cell.ts'

/* The loops without VSA. Each is written out: loops that share a function share its type feedback, and slow one another down. */

export function cellsLoop(cells: readonly Cell[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        const cell = cells[at]
        if (cell === undefined) continue
        const left = cell.left - 1
        if (left >= 0) {
          cell.left = left
          count += 1
        }
      }
    }
    return admitted(rounds * cells.length, count)
  }
}

/** Five equal functions that refill a cell. Five, so that V8 does not inline them: the rare path of a limiter is a call. */
const REFILLS: readonly ((cell: Cell) => boolean)[] = [
  (cell) => spendFrom(cell, UNITS),
  (cell) => spendFrom(cell, UNITS),
  (cell) => spendFrom(cell, UNITS),
  (cell) => spendFrom(cell, UNITS),
  (cell) => spendFrom(cell, UNITS),
]

function spendFrom(cell: Cell, units: number): boolean {
  cell.left = units - 1
  return true
}

/** A cell that is refilled when it is spent: what the rare call costs the loop. */
export function cellsRefillLoop(cells: readonly Cell[]): (rounds: number) => Counted {
  for (const cell of cells) cell.left = 0
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        const cell = cells[at]
        if (cell === undefined) continue
        const left = cell.left - 1
        if (left >= 0) {
          cell.left = left
          count += 1
        } else if (REFILLS[at % REFILLS.length]?.(cell) === true) {
          count += 1
        }
      }
    }
    return admitted(rounds * cells.length, count)
  }
}

export function cellsMixedLoop(cells: readonly Cell[]): (rounds: number) => Counted {
  return (rounds) => {
    let units = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        const cell = cells[at]
        if (cell === undefined) continue
        const cost = COSTS[at & COSTS_MASK] ?? 1
        const left = cell.left - cost
        if (left >= 0) {
          cell.left = left
          units += cost
        }
      }
    }
    return admitted(rounds * cells.length, units)
  }
}

/** One of three cells each, all or none. */
export function cellsOfThreeLoop(groups: readonly (readonly Cell[])[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < groups.length; at += 1) {
        const group = groups[at]
        if (group === undefined || !hasOneEach(group)) continue
        for (let one = 0; one < group.length; one += 1) {
          const cell = group[one]
          if (cell === undefined) continue
          cell.left -= 1
          count += 1
        }
      }
    }
    return admitted(rounds * groups.length, count)
  }
}

function hasOneEach(group: readonly Cell[]): boolean {
  for (let one = 0; one < group.length; one += 1) if ((group[one]?.left ?? 0) < 1) return false
  return true
}

/** Spends and gives back, so that the net effect is zero. */
export function cellsChurnLoop(cells: readonly Cell[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        const cell = cells[at]
        if (cell === undefined) continue
        const left = cell.left - 1
        if (left >= 0) {
          cell.left = left
          count += 1
        }
        const back = cell.left + 1
        if (back <= UNITS) cell.left = back
      }
    }
    return { operations: 2 * rounds * cells.length, admittedUnits: count, refundedUnits: count }
  }
}

export function mapLoop(cells: ReadonlyMap<string, Cell>, ids: readonly string[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at]
        if (id === undefined) continue
        const cell = cells.get(id)
        if (cell === undefined) continue
        const left = cell.left - 1
        if (left >= 0) {
          cell.left = left
          count += 1
        }
      }
    }
    return admitted(rounds * ids.length, count)
  }
}

/** A fixed-window limiter in a Map: read, check, write back. */
export function mapAddLoop(used: Map<string, number>, ids: readonly string[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at]
        if (id === undefined) continue
        const next = (used.get(id) ?? 0) + 1
        if (next <= UNITS) {
          used.set(id, next)
          count += 1
        }
      }
    }
    return admitted(rounds * ids.length, count)
  }
}

/** The lookup alone. */
export function mapGetLoop(cells: ReadonlyMap<string, Cell>, ids: readonly string[]): (rounds: number) => Counted {
  return (rounds) => {
    let changes = 0
    let before: Cell | undefined
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at]
        if (id === undefined) continue
        const cell = cells.get(id)
        if (cell !== before) changes += 1
        before = cell
      }
    }
    if (changes < rounds) throw new Error('one key cannot follow itself')
    return admitted(rounds * ids.length, 0)
  }
}

async function admitFrom(cell: Cell): Promise<boolean> {
  const left = cell.left - 1
  if (left < 0) return false
  cell.left = left
  return true
}

/** An async function that decides from memory. */
export function awaitedLoop(cells: readonly Cell[]): (rounds: number) => Promise<Counted> {
  return async (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        const cell = cells[at]
        if (cell !== undefined && (await admitFrom(cell))) count += 1
      }
    }
    return admitted(rounds * cells.length, count)
  }
}

const YES = Promise.resolve(true)
const NO = Promise.resolve(false)

function readyFrom(cell: Cell): Promise<boolean> {
  const left = cell.left - 1
  if (left < 0) return NO
  cell.left = left
  return YES
}

/** The lowest cost of an `await`: no promise is created. */
export function awaitedReadyLoop(cells: readonly Cell[]): (rounds: number) => Promise<Counted> {
  return async (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < cells.length; at += 1) {
        const cell = cells[at]
        if (cell !== undefined && (await readyFrom(cell))) count += 1
      }
    }
    return admitted(rounds * cells.length, count)
  }
}
