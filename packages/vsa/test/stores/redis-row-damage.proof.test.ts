import { createClient } from 'redis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { clientOn, newClient, newPrefix, storeOn } from './redis-fixture.ts'
import { MINT_ID, servedAround, STOPPED, UNHARMED } from './row-damage.ts'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'

const server = await redisServer(DURABLE, true)
const url = 'url' in server ? server.url : ''
const admin = newClient(url, { lazyConnect: true })

afterAll(async () => {
  admin.disconnect()
  if ('stop' in server) await server.stop()
})

async function nodeRedisOn(address: string) {
  const client = createClient({ url: address, socket: { reconnectStrategy: () => 20 } })
  await client.connect()
  onTestFinished(() => (client.isOpen ? client.destroy() : undefined))
  return client
}

const clients = { ioredis: clientOn, 'node-redis': nodeRedisOn } as const
const paths = (['ioredis', 'node-redis'] as const).flatMap((client) =>
  [true, false].map((fastPath) => ({ client, fastPath })),
)

/** The numbers of a packed row, by their positions. */
const COLUMNS = ['minted', 'used', 'pool', 'burned', 'leased', 'lessees', 'limit', 'burnMax', 'version', 'wanted']
const UNIT_COLUMNS = ['minted', 'used', 'pool', 'burned', 'leased', 'lessees']

describe.skipIf('reason' in server).each(paths)('rows of one key in Redis, $client, fastPath $fastPath', (path) => {
  async function damaged(
    hash: string,
    field: string,
    change: (value: Buffer) => Buffer | string | null,
    ask?: Parameters<typeof servedAround>[2],
  ): Promise<unknown> {
    const prefix = newPrefix()
    const damage = async (): Promise<boolean> => {
      const key = `{${prefix}}:${hash}`
      const name = (await admin.hkeys(key)).find((found) => found.endsWith(field)) ?? ''
      const value = await admin.hgetBuffer(key, name)
      if (value === null) return false
      const after = change(value)
      if (after === null) await admin.hdel(key, name)
      else await admin.hset(key, name, after)
      return true
    }
    const client = await clients[path.client](url)
    return servedAround(storeOn(client, { prefix, fastPath: path.fastPath }), damage, ask)
  }

  it.each(['NaN', 'nan', 'inf', 'x', '', '1.5', '-1', '0', '+5', '-5'])(
    'S6: a lease of %s stops its row alone',
    async (held) => {
      const change = (value: Buffer): string => (/^[+-]5$/.test(held) ? String(Number(value) + Number(held)) : held)
      expect(await damaged('l:1', ':k:bad', change)).toEqual(STOPPED)
    },
  )

  it('S6: a lease that is not there stops its row alone', async () => {
    expect(await damaged('l:1', ':k:bad', () => null)).toEqual(STOPPED)
  })

  it.each([
    ...COLUMNS.filter((column) => column !== 'burnMax').map((column) => [column, NaN] as const),
    ...[...UNIT_COLUMNS, 'limit', 'version'].map((column) => [column, -1] as const),
    ...UNIT_COLUMNS.map((column) => [column, 1e300] as const),
    ['limit', 1e300] as const,
    ['limit', 0.5] as const,
  ])('S6: a budget whose %s is %d is stopped alone', async (column, number) => {
    const change = (row: Buffer): Buffer => {
      row.writeDoubleLE(number, 8 * (COLUMNS.indexOf(column) + 1))
      return row
    }
    expect(await damaged('b', ':k:bad', change)).toEqual(STOPPED)
  })

  it('S6: a budget that balances beyond what can be counted is stopped alone', async () => {
    const change = (row: Buffer): Buffer => {
      row.writeDoubleLE(2 ** 60, 8 * 4)
      row.writeDoubleLE(row.readDoubleLE(8 * 3) - 2 ** 60, 8 * 3)
      return row
    }
    expect(await damaged('b', ':k:bad', change)).toEqual(STOPPED)
  })

  it('S6: a budget of another length is stopped alone', async () => {
    expect(await damaged('b', ':k:bad', (row) => row.subarray(0, 119))).toEqual(STOPPED)
  })

  it('S6: peek of a row that cannot be read says that it is quarantined', async () => {
    expect(
      await damaged(
        'b',
        ':k:bad',
        (row) => row.subarray(0, 119),
        (bad) => bad.peek(),
      ),
    ).toEqual(STOPPED)
  })

  it('S6: a mint that cannot be read stops its row alone', async () => {
    const ask: Parameters<typeof servedAround>[2] = (bad) => bad.mint(5, { id: MINT_ID })
    expect(await damaged('m', `${JSON.stringify(MINT_ID)}]`, () => 'nan', ask)).toEqual(STOPPED)
  })

  it.each(['nan', 'x', '1.5', '1e300'])('S6: a counter of %s is stopped alone', async (value) => {
    const stopped = { ...UNHARMED, counter: 'quarantined', quarantined: ['likes'] }
    expect(await damaged('c', 'likes', () => value)).toEqual(stopped)
  })
})
