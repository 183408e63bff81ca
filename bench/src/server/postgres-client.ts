import type { Pool } from 'pg'
import { postgres } from 'vsa/postgres'
import type { BenchClient } from './bench-server.ts'
import { HOT } from './owner-config.ts'

/** The table of the work by hand. */
export const HAND_TABLE = 'hand.by_hand'

export function postgresClient(pool: Pool): BenchClient {
  const text = `update ${HAND_TABLE} set used = used + 1 where key = $1 and used + 1 <= minted returning used`
  return {
    store: (schema, fastPath = true) => postgres(pool, { schema, fastPath }),
    admitByHand: async () => (await pool.query(text, [HOT])).rows.length === 1,
    end: () => pool.end(),
  }
}
