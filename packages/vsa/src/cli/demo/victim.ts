import { open } from '../../index.ts'
import type { Store } from '../../core/store.ts'
import type { StorePlace } from '../stores/store-place.ts'
import { VictimTally } from './victim-tally.ts'

export const VICTIM_KEY = 'demo-kill'
/** Units a year of the budget that the victim spends. */
const VICTIM_LIMIT = 10_000_000_000
/** Admissions between two writes of the tally. */
export const VICTIM_BLOCK = 1_000
/** Where a dead process cannot be detected, its lease is burned after this long. */
export const VICTIM_LEASE_TTL_MS = 3_000
/** Blocks between two turns of the event loop. */
const BLOCKS_PER_TURN = 200
/** A victim that is not killed exits by itself after this long. */
const LIFETIME_MS = 30_000

/** The process that part (c) kills: admits one unit at a time, as fast as it can, and keeps a tally. */
export function runVictim(place: StorePlace, tallyPath: string): Promise<void> {
  return place.withStore({ leaseTtlMs: VICTIM_LEASE_TTL_MS }, (store) => admitUntilKilled(store, tallyPath))
}

async function admitUntilKilled(store: Store, tallyPath: string): Promise<void> {
  const vsa = open({ store, label: 'vsa demo, to be killed' })
  const tally = new VictimTally(tallyPath)
  const budget = vsa.budget(VICTIM_KEY, { limit: VICTIM_LIMIT, per: 'year' })
  // Exit with the parent process.
  process.stdin.once('end', () => process.exit(1)).resume()
  let admitted = 0
  let block = 1
  /** Stops at the first denial. The tally is exact then. The next block is one unit, because denials come one after another. */
  const admitBlock = (): boolean => {
    tally.write({ atLeast: admitted, atMost: admitted + block })
    for (let unit = 0; unit < block; unit++) {
      if (!budget.tryAdmit()) {
        block = 1
        return false
      }
      admitted++
    }
    block = VICTIM_BLOCK
    return true
  }
  for (const endsAt = performance.now() + LIFETIME_MS; performance.now() < endsAt;) {
    for (let blocks = 0; blocks < BLOCKS_PER_TURN && admitBlock(); blocks++);
    tally.write({ atLeast: admitted, atMost: admitted }) // exact: nothing is admitted until the next turn
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  await vsa.close()
  tally.close()
}
