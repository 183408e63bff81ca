import type { Redis } from 'ioredis'
import { fieldOf, memberOf } from '../../src/stores/redis/keys.ts'
import { packBudget, packOwner } from '../../src/stores/redis/rows.ts'

interface Sizes {
  readonly rows: number
  readonly owners: number
}

/** Three periods of each key; every third row has leases of 1 and 2 units. Twice as many counters as rows. @param key of the store, by its name */
export async function makeRows(
  client: Redis,
  key: (name: string) => string,
  { rows: count, owners }: Sizes,
): Promise<void> {
  const writes = client.pipeline()
  for (let n = 0; n < count; n += 1) {
    const name = { key: String.fromCodePoint(233 + Math.floor(n / 3)), period: (n % 3) - 1 }
    const isLeased = n % 3 === 0
    const row = {
      ...name,
      kind: 'initial',
      minted: 10,
      used: 0,
      reserved: 0,
      pool: isLeased ? 7 : 10,
      burned: 0,
      limit: 10,
    } as const
    const rest = { burnMax: 0, version: 1, resets: 0, wantedUntil: 0, endsAt: null, keepUntil: null }
    const sums = isLeased ? { leased: 3, lessees: 2 } : { leased: 0, lessees: 0 }
    writes.hset(key('b'), fieldOf(name), packBudget({ row: { ...row, ...rest }, ...sums }))
    writes.zadd(key('i'), 0, memberOf(name))
    if (isLeased) writes.hset(key('l:1'), fieldOf(name), '1').hset(key('l:3'), fieldOf(name), '2')
  }
  for (let n = 0; n < 2 * count; n += 1) writes.hset(key('c'), `counter ${1_000 + n}`, '1')
  for (let epoch = 1; epoch <= owners; epoch += 1) {
    const owner = {
      epoch,
      token: 't',
      label: 'l',
      state: 'open',
      seq: 1,
      seenAt: 0,
      expiresAt: 0,
      leaseTtlMs: 1,
    } as const
    const outcome = { granted: [], notes: {}, written: { records: 0, leaseRecords: 0 } }
    writes
      .hset(key('o'), String(epoch), packOwner({ ...owner, outcome, process: null }))
      .zadd(key('x'), 0, String(epoch))
  }
  writes.hset(key('s'), {
    schema: 2,
    rows: count,
    mints: 0,
    counters: 2 * count,
    reservations: 0,
    names: 0,
    epochs: owners,
    seen: 0,
    gen: 'g',
    prunes: 0,
  })
  await writes.exec()
}
