import { StoreError } from '../../core/errors.ts'
import type { Inspection } from '../../core/inspection.ts'
import { isDamage, storeErrorOf } from '../../stores/redis/errors.ts'
import { redis } from '../../stores/redis/index.ts'
import { inspectRedis, isStoreUsed } from '../../stores/redis/inspect.ts'
import { Session } from '../../stores/redis/session.ts'
import { CommandError } from '../report.ts'
import { redisAddress, type RedisAddress } from './redis-address.ts'
import { openClient, type OpenClient } from './redis-client.ts'
import type { StorePlace } from './store-place.ts'

/** A place under a prefix of a Redis server. @throws UsageError */
export function redisPlace(address: string): StorePlace {
  const parts = redisAddress(address)
  return {
    name: parts.name,
    address,
    verdicts: {
      sound: 'No row is missing, and every lease is on a row, and has an owner.',
      damaged: 'The store is damaged: restore it from a backup.',
    },
    assertNew: () => assertNew(parts),
    withStore: (options, work) =>
      withClient(parts, ({ client }) => work(redis(client, { prefix: parts.prefix, ...options }))),
    inspect: () => inspect(parts),
    isDamage: (error) => error instanceof StoreError && isDamage(error),
  }
}

async function assertNew(parts: RedisAddress): Promise<void> {
  const { prefix, name } = parts
  if (!(await withClient(parts, ({ client }) => isStoreUsed(new Session(client, prefix))))) return
  const message = `${name}: prefix ${prefix} holds a store already: name another one, as in ?prefix=another, or remove it`
  throw new CommandError('store_exists', message)
}

async function inspect(parts: RedisAddress): Promise<Inspection> {
  const open = await connect(parts)
  try {
    const inspection = await inspectRedis(new Session(open.client, parts.prefix))
    return { ...inspection, close: async () => open.end() }
  } catch (error) {
    open.end()
    throw error
  }
}

async function withClient<T>(parts: RedisAddress, work: (open: OpenClient) => Promise<T>): Promise<T> {
  const open = await connect(parts)
  try {
    return await work(open)
  } finally {
    open.end()
  }
}

/** @throws CommandError, StoreError */
async function connect({ url, prefix }: RedisAddress): Promise<OpenClient> {
  try {
    return await openClient(url)
  } catch (error) {
    throw error instanceof CommandError ? error : storeErrorOf(error, prefix, 'load')
  }
}
