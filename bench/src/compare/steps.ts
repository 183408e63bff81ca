import type { Limiter } from '../contenders/contender.ts'
import { REFUND, type Trace } from '../workloads/trace.ts'
import type { Ledger } from './ledger.ts'

/**
 * Does the operations of the trace from `from` until before `end`, and writes their outcomes into the ledger. It returns early with the first one that is
 * not decided at once. A loop of its own for each kind of workload, because a call for each operation would take longer than the operation.
 */
export type Steps = (from: number, end: number) => Progress

export interface Progress {
  /** The next operation. */
  readonly next: number
  /** Of the last operation, where it is decided later. */
  readonly later: Promise<unknown> | undefined
}

export function stepsOf(limiter: Limiter, trace: Trace, ledger: Ledger): Steps {
  return trace.workload.cost.kind === 'reserved'
    ? workSteps(limiter, trace, ledger)
    : admitSteps(limiter, trace, ledger)
}

function admitSteps(limiter: Limiter, { keys, units: costs, kinds }: Trace, ledger: Ledger): Steps {
  const { net } = ledger
  return (from, end) => {
    let admitted = 0
    let later: Promise<unknown> | undefined
    let at = from
    for (; at < end && later === undefined; at += 1) {
      const key = keys[at] ?? 0
      const units = costs[at] ?? 0
      if (kinds[at] === REFUND) {
        if (ledger.gaveBack(key, units)) later = limiter.refund(key, units) ?? undefined
        continue
      }
      const answer = limiter.admit(key, units)
      if (answer === true) {
        net[key] = (net[key] ?? 0) + units
        admitted += 1
      } else if (answer === false) ledger.denied += 1
      else later = answer.then((isAdmitted) => ledger.decided(key, units, isAdmitted))
    }
    ledger.admitted += admitted
    return { next: at, later }
  }
}

function workSteps(limiter: Limiter, { keys, units, settled }: Trace, ledger: Ledger): Steps {
  const work = limiter.work ?? admitAndGiveBack(limiter)
  return (from) => {
    const [key, actual] = [keys[from] ?? 0, settled[from] ?? 0]
    const later = work(key, units[from] ?? 0, actual).then((isAdmitted) => ledger.decided(key, actual, isAdmitted))
    return { next: from + 1, later }
  }
}

/** What is left to those that know no reservations. */
function admitAndGiveBack(limiter: Limiter): NonNullable<Limiter['work']> {
  return async (key, most, actual) => {
    if (!(await limiter.admit(key, most))) return false
    await limiter.refund(key, most - actual)
    return true
  }
}
