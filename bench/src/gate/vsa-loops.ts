import type { Budget, Family, Need, Vsa } from 'vsa'
import { admitted, type Counted } from '../measure/variant.ts'
import { COSTS, COSTS_MASK } from './cell.ts'

/* The loops of `bare.ts`, through VSA. */

export function handlesLoop(budgets: readonly Budget[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < budgets.length; at += 1) {
        const budget = budgets[at]
        if (budget !== undefined && budget.tryAdmit()) count += 1
      }
    }
    return admitted(rounds * budgets.length, count)
  }
}

export function handlesMixedLoop(budgets: readonly Budget[]): (rounds: number) => Counted {
  return (rounds) => {
    let units = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < budgets.length; at += 1) {
        const budget = budgets[at]
        if (budget === undefined) continue
        const cost = COSTS[at & COSTS_MASK] ?? 1
        if (budget.tryAdmit(cost)) units += cost
      }
    }
    return admitted(rounds * budgets.length, units)
  }
}

export function handlesChurnLoop(budgets: readonly Budget[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < budgets.length; at += 1) {
        const budget = budgets[at]
        if (budget === undefined) continue
        if (!budget.tryAdmit()) continue
        count += 1
        budget.refund()
      }
    }
    return { operations: 2 * rounds * budgets.length, admittedUnits: count, refundedUnits: count }
  }
}

/** Two operations each, as of the loop above. */
export function reservationsLoop(budgets: readonly Budget[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < budgets.length; at += 1) {
        const reservation = budgets[at]?.tryReserve(1)
        if (reservation === null || reservation === undefined) continue
        count += 1
        // It cannot fail, and a handler would be measured with it.
        // oxlint-disable-next-line typescript/no-floating-promises
        reservation.settle(0)
      }
    }
    return { operations: 2 * rounds * budgets.length, admittedUnits: count, refundedUnits: count }
  }
}

/** @param needs lists that are kept, as the policy of a service would be */
export function tryAdmitAllLoop(vsa: Vsa, needs: readonly (readonly Need[])[]): (rounds: number) => Counted {
  return (rounds) => {
    let units = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < needs.length; at += 1) {
        const all = needs[at]
        if (all !== undefined && vsa.tryAdmitAll(all)) units += all.length
      }
    }
    return admitted(rounds * needs.length, units)
  }
}

export function byKeyLoop(family: Family, ids: readonly string[]): (rounds: number) => Counted {
  return (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at]
        if (id !== undefined && family.of(id).tryAdmit()) count += 1
      }
    }
    return admitted(rounds * ids.length, count)
  }
}

/** The lookup alone. */
export function familyOfLoop(family: Family, ids: readonly string[]): (rounds: number) => Counted {
  return (rounds) => {
    let changes = 0
    let before: Budget | undefined
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < ids.length; at += 1) {
        const id = ids[at]
        if (id === undefined) continue
        const budget = family.of(id)
        if (budget !== before) changes += 1
        before = budget
      }
    }
    if (changes < rounds) throw new Error('one key cannot follow itself')
    return admitted(rounds * ids.length, 0)
  }
}

export function awaitAdmitLoop(budgets: readonly Budget[]): (rounds: number) => Promise<Counted> {
  return async (rounds) => {
    let count = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < budgets.length; at += 1) {
        const budget = budgets[at]
        if (budget !== undefined && (await budget.admit())) count += 1
      }
    }
    return admitted(rounds * budgets.length, count)
  }
}

/** @param needs lists that are kept */
export function awaitAdmitAllLoop(vsa: Vsa, needs: readonly (readonly Need[])[]): (rounds: number) => Promise<Counted> {
  return async (rounds) => {
    let units = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < needs.length; at += 1) {
        const all = needs[at]
        if (all !== undefined && (await vsa.admitAll(all))) units += all.length
      }
    }
    return admitted(rounds * needs.length, units)
  }
}

/** As many units as of the loop above, and of as many budgets; the first one has them. @param sources lists that are kept */
export function awaitAdmitFirstLoop(
  vsa: Vsa,
  sources: readonly (readonly Budget[])[],
): (rounds: number) => Promise<Counted> {
  return async (rounds) => {
    let units = 0
    for (let round = 0; round < rounds; round += 1) {
      for (let at = 0; at < sources.length; at += 1) {
        const all = sources[at]
        if (all !== undefined && (await vsa.admitFirst(all, all.length))) units += all.length
      }
    }
    return admitted(rounds * sources.length, units)
  }
}
