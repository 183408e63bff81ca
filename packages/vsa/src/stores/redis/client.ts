/** An argument of a command: text as UTF-8, or bytes. */
export type RedisArgument = string | Uint8Array

/** The `Redis` or `Cluster` of `ioredis` fits as it is. */
export interface IoredisClient {
  /** Sends one command; texts in the answer are bytes. */
  callBuffer(command: string, ...args: (RedisArgument | number)[]): Promise<unknown>
  /** `end` once it has been closed for good. */
  readonly status?: string
  readonly isCluster?: boolean
}

/** The client, or the pool of clients, of `redis` (node-redis) fits as it is. It must be connected by its user. */
export interface NodeRedisClient {
  /** @param mapping `{ 36: Buffer }`: texts in the answers (`RESP_TYPES.BLOB_STRING`) are bytes */
  withTypeMapping(mapping: object): { sendCommand(args: readonly RedisArgument[]): Promise<unknown> }
  readonly isOpen?: boolean
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** The cluster of `redis` (node-redis) fits as it is. */
export interface NodeRedisCluster {
  withTypeMapping(mapping: object): {
    sendCommand(firstKey: string, isReadonly: boolean, args: readonly RedisArgument[]): Promise<unknown>
  }
  readonly isOpen?: boolean
  /** Tells a cluster from a client. */
  nodeClient(node: never): unknown
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** The sentinel of `redis` (node-redis) fits as it is. */
export interface NodeRedisSentinel {
  withTypeMapping(mapping: object): {
    sendCommand(isReadonly: boolean, args: readonly RedisArgument[]): Promise<unknown>
  }
  readonly isOpen?: boolean
  /** Tells a sentinel from a client. */
  acquire(): Promise<unknown>
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** Made, connected and closed by the user. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster | NodeRedisSentinel

/** Texts in the answers of node-redis (`RESP_TYPES.BLOB_STRING`, 36) are bytes. */
const BYTES = { 36: Buffer }

/** One way to send a command, whatever the client is. Texts in the answer are bytes. */
export interface RedisConnection {
  readonly isCluster: boolean
  /** Closed by its user: it would send nothing. One of node-redis may be connected yet. */
  standing(): 'open' | 'ended' | 'not connected'
  /** @param key decides the node of a cluster */
  send(key: string, command: string, args: readonly RedisArgument[]): Promise<unknown>
  /** Keeps an error of an idle connection from ending the process. @returns ends it */
  listen(): () => void
}

export function connectionOf(client: RedisClient): RedisConnection {
  if ('callBuffer' in client) return ioredis(client)
  if ('nodeClient' in client) return nodeRedisCluster(client)
  return 'acquire' in client ? nodeRedisSentinel(client) : nodeRedis(client)
}

function ioredis(client: IoredisClient): RedisConnection {
  return {
    isCluster: client.isCluster === true,
    standing: () => (client.status === 'end' ? 'ended' : 'open'),
    send: (_key, command, args) => client.callBuffer(command, ...args),
    // It ends no process for an error that has no listener, but prints it.
    listen: () => () => undefined,
  }
}

function nodeRedis(client: NodeRedisClient): RedisConnection {
  const bytes = client.withTypeMapping(BYTES)
  return {
    isCluster: false,
    standing: () => (client.isOpen === false ? 'not connected' : 'open'),
    send: (_key, command, args) => bytes.sendCommand([command, ...args]),
    listen: () => ignoreErrors(client),
  }
}

function nodeRedisSentinel(client: NodeRedisSentinel): RedisConnection {
  const bytes = client.withTypeMapping(BYTES)
  return {
    isCluster: false,
    standing: () => (client.isOpen === false ? 'not connected' : 'open'),
    send: (_key, command, args) => bytes.sendCommand(false, [command, ...args]),
    listen: () => ignoreErrors(client),
  }
}

function nodeRedisCluster(client: NodeRedisCluster): RedisConnection {
  const bytes = client.withTypeMapping(BYTES)
  return {
    isCluster: true,
    standing: () => (client.isOpen === false ? 'not connected' : 'open'),
    send: (key, command, args) => bytes.sendCommand(key, false, [command, ...args]),
    listen: () => ignoreErrors(client),
  }
}

/** How many open stores each client has: one listener for all of them, because Node warns of more than 10. */
const stores = new WeakMap<object, number>()

function ignoreErrors(client: Exclude<RedisClient, IoredisClient>): () => void {
  const open = stores.get(client) ?? 0
  stores.set(client, open + 1)
  if (open === 0) client.on?.('error', ignore)
  let isOn = true
  return () => {
    if (!isOn) return
    isOn = false
    const left = (stores.get(client) ?? 1) - 1
    stores.set(client, left)
    if (left === 0) client.off?.('error', ignore)
  }
}

/** The call that uses a broken connection fails by itself, and says so. */
function ignore(): void {}
