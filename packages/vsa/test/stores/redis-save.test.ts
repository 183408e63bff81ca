import { afterAll, describe, expect, it } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import type { Batch } from '../../src/core/exchange.ts'
import { lifeAt } from '../../src/core/life.ts'
import { transition } from '../../src/core/transition.ts'
import type { Joined, Store } from '../../src/core/store.ts'
import { adapterOn, assertSums, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { applied, batch, count, entry } from './sqlite-fixture.ts'

const server = await redisServer(DURABLE, true)
const client = newClient('url' in server ? server.url : '', { lazyConnect: true })

afterAll(async () => {
  client.disconnect()
  if ('stop' in server) await server.stop()
})

interface Meanwhile {
  readonly store: Store
  readonly other: Joined
  readonly sent: Batch
  readonly key: (name: string) => string
}

type Case = readonly [what: string, work: (meanwhile: Meanwhile) => Promise<unknown>, isSaved: boolean]

const byOther = async ({ store, other }: Meanwhile, content: Partial<Batch>): Promise<unknown> =>
  applied(await store.exchange(batch(other, 1, content)))
const mint = { id: 'order 1', units: 0 }

const cases: readonly Case[] = [
  ['nothing', async () => undefined, true],
  ['another row', (it) => byOther(it, { entries: [entry({ key: 'other' }), count('other', 1)] }), true],
  ['a row that it writes', (it) => byOther(it, { entries: [entry({ hold: 1 })] }), false],
  ['a row that it only looks at', (it) => byOther(it, { entries: [entry({ key: 'looked at', hold: 1 })] }), false],
  ['a row that it makes', (it) => byOther(it, { entries: [entry({ key: 'new' })] }), false],
  ['a counter', (it) => byOther(it, { entries: [count('calls', 1)] }), false],
  ['a mint of no units under the same id', (it) => byOther(it, { entries: [entry({ key: 'minted', mint })] }), false],
  ['the same batch', async ({ store, sent }) => applied(await store.exchange(sent)), false],
  ['the end of its epoch', async ({ store, sent }) => store.exchange({ ...sent, entries: [], close: true }), false],
  ['another generation of the data', ({ key }) => client.hset(key('s'), 'gen', 'other'), false],
  // S10: the row may have been made and removed.
  ['a removal of rows', ({ key }) => client.hincrby(key('s'), 'prunes', 1), false],
]

describe.skipIf('reason' in server)('the general path of the Redis store', () => {
  it.each(cases)(
    'L1, S3: between load and save, %s: saved only if nothing that decides has changed',
    async (_what, work, isSaved) => {
      const prefix = newPrefix()
      const store = storeOn(client, { prefix })
      const [joined, other] = [await store.join('test'), await store.join('other')]
      const known = [entry(), entry({ key: 'looked at' }), entry({ key: 'minted' })]
      await store.exchange(batch(joined, 1, { entries: [...known, count('calls', 1)] }))
      const sent = batch(joined, 2, {
        entries: [
          entry({ hold: 10 }),
          entry({ key: 'looked at' }),
          entry({ key: 'minted', mint }),
          entry({ key: 'new' }),
          count('calls', 1),
        ],
      })
      const adapter = adapterOn(client, { prefix })
      await adapter.ready()
      const snapshot = await adapter.loadExchange(sent)
      const life = lifeAt(snapshot.life, snapshot.time, 10_000)
      const { writes } = transition(snapshot.rows, sent, snapshot.time, life)
      await work({ store, other, sent, key: (name) => `{${prefix}}:${name}` })
      expect(writes === null ? writes : await snapshot.save(writes)).toBe(isSaved)
      await assertSums(client, prefix)
    },
  )
})
