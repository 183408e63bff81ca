import type { Books, Contender } from '../contenders/contender.ts'
import { limitIn } from '../workloads/trace.ts'
import type { Workload } from '../workloads/workload.ts'
import type { Told } from './messages.ts'

/** The books of one run. */
export interface Account {
  /** Admitted and not given back. */
  readonly netUnits: number
  /** Units that were admitted beyond what there was, over all keys. */
  readonly overAdmittedUnits: number
  readonly burnedUnits: number
  /** Why they do not balance; empty where they do. */
  readonly problems: readonly string[]
}

/**
 * Compares what callers were told with what the store has, key by key. A contender that promises to be exact must not have admitted more than there was.
 * @param told of each process
 */
export function accountOf(contender: Contender, workload: Workload, told: readonly Told[], books: Books): Account {
  const keys = books.used.length
  let [netUnits, overAdmittedUnits, wrongKeys, lostUnits] = [0, 0, 0, 0]
  for (let key = 0; key < keys; key += 1) {
    const net = told.reduce((sum, one) => sum + (one.net[key] ?? 0), 0)
    const used = books.used[key] ?? 0
    netUnits += net
    overAdmittedUnits += Math.max(0, net - limitIn(workload, key, keys))
    if (net === used) continue
    wrongKeys += 1
    lostUnits += net - used
  }
  const skipped = told.reduce((sum, one) => sum + one.skippedRefunds, 0)
  const problems = [
    ...(wrongKeys === 0 ? [] : [`${wrongKeys} of ${keys} keys differ from the store, by ${lostUnits} units in all`]),
    ...(contender.isExact && overAdmittedUnits > 0 ? [`${overAdmittedUnits} units admitted beyond the limit`] : []),
    ...(books.missing === 0 ? [] : [`${books.missing} units are in no account after the close`]),
    ...(netUnits === 0 && workload.churn !== 'at-once' && skipped === 0 ? ['nothing was admitted'] : []),
  ]
  return { netUnits, overAdmittedUnits, burnedUnits: books.burned, problems }
}
