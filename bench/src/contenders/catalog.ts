import type { Contender, StoreKind } from './contender.ts'
import { flexible } from './flexible.ts'
import { limiterPackage } from './limiter.ts'
import { localSync } from './local-sync.ts'
import { plainMap } from './plain-map.ts'
import { losesWrites, overAdmits } from './planted.ts'
import { postgresBucket } from './postgres-bucket.ts'
import { rateLimitRedis } from './rate-limit-redis.ts'
import { redisBucket } from './redis-bucket.ts'
import { sqliteBucket } from './sqlite-bucket.ts'
import { vsaContender } from './vsa.ts'

const STORES: readonly StoreKind[] = ['memory', 'sqlite', 'postgres', 'redis']
const BUCKETS = ['token', 'leaky'] as const

export const CONTENDERS: readonly Contender[] = [
  ...STORES.map((store) => vsaContender('leased', store)),
  ...STORES.map((store) => vsaContender('durable', store)),
  ...BUCKETS.flatMap((kind) => [sqliteBucket(kind), postgresBucket(kind), redisBucket(kind)]),
  ...STORES.map(flexible),
  rateLimitRedis,
  limiterPackage,
  plainMap,
  localSync,
  overAdmits,
  losesWrites,
]

/** @throws RangeError for a name that is not there */
export function contenderNamed(name: string): Contender {
  const found = CONTENDERS.find((contender) => contender.name === name)
  if (found === undefined) throw new RangeError(`no contender ${name}`)
  return found
}
