import { open } from '../../index.ts'
import { sqlite } from '../../stores/sqlite/index.ts'
import { VictimTally } from './victim-tally.ts'

export const VICTIM_KEY = 'demo-kill'
/** Units of the budget that the victim spends, per year. */
const VICTIM_LIMIT = 10_000_000_000
/** Admissions between two writes of the tally. */
export const VICTIM_BLOCK = 1_000
/** Where a dead process cannot be told from a living one, its lease is burned after this long. */
export const VICTIM_LEASE_TTL_MS = 3_000
/** Blocks between two turns of the event loop. */
const BLOCKS_PER_TURN = 200
/** A victim that nobody kills ends by itself. */
const LIFETIME_MS = 30_000

/** The process that is killed in part (c): admits one unit after the other as fast as it can, and keeps a tally. */
export async function runVictim(storePath: string, tallyPath: string): Promise<void> {
  const vsa = open({ store: sqlite(storePath, { leaseTtlMs: VICTIM_LEASE_TTL_MS }), label: 'vsa demo, to be killed' })
  const tally = new VictimTally(tallyPath)
  const budget = vsa.budget(VICTIM_KEY, { limit: VICTIM_LIMIT, per: 'year' })
  // Without whoever wants to kill it there is nothing to do.
  process.stdin.once('end', () => process.exit(1)).resume()
  let admitted = 0
  let block = 1
  /** Stops at the first refusal: then the tally is exact again, and the next block small, for refusals come in rows. */
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
    tally.write({ atLeast: admitted, atMost: admitted }) // nothing is admitted while others have their turn
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  await vsa.close()
  tally.close()
}
