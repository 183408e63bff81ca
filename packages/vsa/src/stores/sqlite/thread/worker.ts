import { randomUUID } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { adaptedStore } from '../../../core/adapted-store.ts'
import { invariant } from '../../../core/errors.ts'
import { SqliteAdapter } from '../adapter.ts'
import { nativeGate } from '../client/native-gate.ts'
import { MACHINE, nowOf } from '../shared-time.ts'
import { packAnswer, unpackBatch } from './packing.ts'
import { failureOf, type Calls, type CallName, type Reply, type Request, type ThreadStart } from './wire.ts'

/* The store's thread: runs calls one after the other, and answers each. Only `ThreadStore` starts it. */

invariant(parentPort !== null, 'vsa/stores/sqlite/worker runs in a worker thread')
const port = parentPort
// Written by `ThreadStore`, of the same version.
const settings = workerData as ThreadStart
const now = nowOf(settings.time)
const adapter = new SqliteAdapter(settings.driver, settings, now, { gate: nativeGate(settings.gate) })
const steady = settings.time === null ? MACHINE.monotonic : now
const store = adaptedStore(adapter, { now: steady, ...settings.upkeep }, randomUUID)

const underWay = new Set<Promise<void>>()

port.on('message', (request: Request) => {
  // After the answer to `close` the thread ends, so every call before it must have its answer. The others need not wait for each other.
  const served = request[1] === 'close' ? Promise.all(underWay).then(() => serve(request)) : serve(request)
  underWay.add(served)
  served
    .finally(() => underWay.delete(served))
    .catch((bug: unknown) => {
      // Ends the thread: the calls that wait are rejected with `store_lost`.
      throw bug
    })
})

async function serve(request: Request): Promise<void> {
  port.postMessage(await replyTo(request), [])
  // The end of the thread closes the file, which the client may not do before. The next call starts another.
  if (adapter.hasLostLocks) process.exit()
}

async function replyTo(request: Request): Promise<Reply> {
  try {
    return [request[0], await call(request)]
  } catch (error) {
    return [request[0], null, failureOf(error)]
  }
}

async function call([, name, argument]: Request): Promise<Calls[CallName]['result']> {
  switch (name) {
    case 'join':
      return store.join(argument)
    case 'exchange':
      return packAnswer(await store.exchange(unpackBatch(argument)))
    case 'upkeep':
      // This store has one.
      return (await store.upkeep?.(argument)) ?? null
    case 'delete':
      // This store has one.
      return (await store.delete?.(argument)) ?? true
    case 'read':
      return store.read(argument)
    case 'list':
      return store.list(argument)
    case 'owners':
      return store.owners()
    case 'close':
      await store.close()
      return null
  }
}
