import type { Redis } from 'ioredis'
import type { Take } from '../../src/core/exchange.ts'
import type { Remember, ReservationChange } from '../../src/core/reservations/messages.ts'
import { unpackBudget } from '../../src/stores/redis/rows.ts'

/** Units of one take of the entries from the first one on, remembered as a reservation that ends after a minute and gives them back. */
export function reserving(id: string, costs: readonly number[], changes: Partial<Remember> = {}): Take {
  const need = costs.map((cost, at) => [at, cost] as const)
  return { need, n: 1, remember: { id, as: 'reservation', ttlMs: 60_000, onExpire: 'return', ...changes } }
}

export function settling(id: string, units: number, key = 'seats'): ReservationChange {
  return { op: 'settle', key, id, units }
}

/** The bytes of a packed budget of schema 1. */
const OLD_BYTES = 104

/** Makes a store as schema 1 wrote it of one that has no reservation. @param key of the store, by its name */
export async function makeOld(client: Redis, key: (name: string) => string): Promise<void> {
  for (const [field, bytes] of Object.entries(await client.hgetallBuffer(key('b')))) {
    const { row } = unpackBudget({ key: '', period: 0 }, bytes)
    if (row.reserved > 0 || row.resets > 0) throw new Error(`schema 1 has no ${JSON.stringify(row)}`)
    await client.hset(key('b'), field, bytes.subarray(0, OLD_BYTES))
  }
  await client.hset(key('s'), 'schema', '1')
  await client.hdel(key('s'), 'reservations', 'names', 'versions')
  await client.del(key('r'), key('t'))
}
