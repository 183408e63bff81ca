import type { RedisClient } from '../../stores/redis/client.ts'
import { driverMissing, isMissing, loadModule, memberOf, type Load } from './load-module.ts'

/** A client that is connected. */
export interface OpenClient {
  readonly client: RedisClient
  /** Ends its connection. Idempotent. */
  end(): void
}

const CONNECT_WITHIN_MS = 10_000
const ANSWER_WITHIN_MS = 30_000
const CONNECT_AGAIN_MS = 200

/** The parts of `ioredis` that are used here. */
type Ioredis = Extract<RedisClient, { callBuffer: unknown }> & {
  connect(): Promise<unknown>
  disconnect(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}
/** The parts of node-redis that are used here. */
type NodeRedis = Exclude<RedisClient, { callBuffer: unknown }> & {
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A client of `ioredis`, or else of `redis`, that the caller ends. @throws CommandError `driver_missing`; also the errors of the client */
export async function openClient(url: string, load: Load = loadModule): Promise<OpenClient> {
  const ioredis = await installed('ioredis', load)
  if (ioredis !== undefined) return openIoredis(url, memberIn(ioredis, 'Redis'))
  const nodeRedis = await installed('redis', load)
  if (nodeRedis !== undefined) return openNodeRedis(url, memberIn(nodeRedis, 'createClient'))
  throw notLoaded()
}

/** Undefined where it is not. */
async function installed(name: string, load: Load): Promise<unknown> {
  try {
    return await load(name)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw notLoaded(error)
  }
}

/** @throws CommandError `driver_missing` where there is no such function or class */
function memberIn(module: unknown, name: string): unknown {
  const member = memberOf(module, name) ?? memberOf(memberOf(module, 'default'), name)
  if (typeof member !== 'function') throw notLoaded(new Error(`it has no ${name}`))
  return member
}

async function openIoredis(url: string, found: unknown): Promise<OpenClient> {
  // The client is known by its name; a class cannot be checked further without a server.
  const Redis = found as new (url: string, options: object) => Ioredis
  const client = new Redis(url, {
    lazyConnect: true,
    connectionName: 'vsa',
    connectTimeout: CONNECT_WITHIN_MS,
    commandTimeout: ANSWER_WITHIN_MS,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => CONNECT_AGAIN_MS,
  })
  return connected(client, () => client.disconnect())
}

async function openNodeRedis(url: string, found: unknown): Promise<OpenClient> {
  // As above.
  const createClient = found as (options: object) => NodeRedis
  let isConnected = false
  const client = createClient({
    url,
    name: 'vsa',
    disableOfflineQueue: true,
    commandOptions: { timeout: ANSWER_WITHIN_MS },
    socket: {
      connectTimeout: CONNECT_WITHIN_MS,
      // A server that is not there at first is not waited for.
      reconnectStrategy: () => (isConnected ? CONNECT_AGAIN_MS : false),
    },
  })
  if (!('withTypeMapping' in client)) throw notLoaded(new Error('redis must be 5 or newer'))
  const open = await connected(client, () => (client.isOpen === true ? client.destroy() : undefined))
  isConnected = true
  return open
}

/** @throws what the connection has said of itself, which says more than what its end was */
async function connected(client: Ioredis | NodeRedis, end: () => void): Promise<OpenClient> {
  let said: Error | undefined
  // Later ones come with the call that fails.
  client.on('error', (error) => (said ??= error))
  try {
    await client.connect()
    return { client, end }
  } catch (error) {
    end()
    throw said ?? error
  }
}

function notLoaded(cause?: unknown): Error {
  return driverMissing('a Redis store needs a client, ioredis or redis: npm install ioredis', cause)
}
