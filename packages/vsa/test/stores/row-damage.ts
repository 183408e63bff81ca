import { open, type Budget, type VsaEvent } from '../../src/index.ts'
import type { Store } from '../../src/core/store.ts'

/** The key whose rows a test damages, and the id that was minted for it. */
export const BAD = 'k:bad'
export const MINT_ID = 'order 1'

/** What an engine answers while rows of one key are damaged. Each call has its units, or the code of its error. */
export interface Served {
  readonly bad: unknown
  readonly good: unknown
  readonly fresh: unknown
  readonly counter: unknown
  readonly flushed: unknown
  readonly closed: unknown
  /** Keys of the events `quarantined`, each once. */
  readonly quarantined: readonly string[]
}

/** Only the damaged row is stopped (S6). */
export const STOPPED: Served = {
  bad: 'quarantined',
  good: true,
  fresh: true,
  counter: 3,
  flushed: 'ok',
  closed: 'ok',
  quarantined: [BAD],
}
/** What is damaged is not needed to decide. */
export const UNHARMED: Served = { ...STOPPED, bad: true, quarantined: [] }

/** Only ends what waits in vain. */
const DEADLINE_MS = 10_000

/** More units than are leased: some from the lease, the rest from the pool. */
function spendAndTake(bad: Budget): Promise<boolean> {
  bad.tryAdmit()
  return bad.admit(100)
}

/**
 * An engine has leases on two keys of one family, then the rows of one are damaged, and it asks for more than it has of both.
 * @param damage whether it found the row: a lease that is not used goes back
 * @param ask of the damaged key; default more units than are leased
 */
export async function servedAround(
  store: Store,
  damage: () => Promise<boolean>,
  ask: (bad: Budget) => Promise<unknown> = spendAndTake,
): Promise<Served> {
  const quarantined = new Set<string>()
  const onEvent = (event: VsaEvent): void => {
    if (event.type === 'quarantined') quarantined.add(event.key)
  }
  const vsa = open({ store, deadlineMs: DEADLINE_MS, onEvent })
  const keys = vsa.budgets('k', { initial: 1_000, atRisk: 20 })
  const [bad, good, fresh] = [keys.of('bad'), keys.of('good'), keys.of('fresh')]
  const likes = vsa.counter('likes')
  await Promise.all([bad.admit(), good.admit(), bad.mint(5, { id: MINT_ID })])
  likes.add(1)
  await vsa.flush()
  while (!(await damage())) await bad.admit()
  likes.add(2)
  const asked = [ask(bad), good.admit(100), fresh.admit(), likes.read()].map((call) => call.catch(codeOf))
  const [ofBad, ofGood, ofFresh, counter] = await Promise.all(asked)
  const flushed = await vsa.flush({ deadlineMs: DEADLINE_MS }).then(() => 'ok', codeOf)
  const closed = await vsa.close({ deadlineMs: DEADLINE_MS }).then(() => 'ok', codeOf)
  return { bad: ofBad, good: ofGood, fresh: ofFresh, counter, flushed, closed, quarantined: [...quarantined] }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : error
}
