import { expect, onTestFinished, test } from 'vitest'
import { DURABLE, redisServer } from '../../../../servers/src/redis.ts'
import { vsa } from './run-cli.ts'

test('L1, L2, L3, L7: the demo on Redis writes only net effects, and every row balances after a kill', async ({
  skip,
}) => {
  const server = await redisServer(DURABLE)
  if ('reason' in server) return skip(server.reason)
  onTestFinished(() => server.stop())
  const store = `${server.url}?prefix=demo`
  const { code, stdout, stderr } = await vsa('demo', '--seconds', '1', '--store', store, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    netEffect: { operations: 1_000_000, netUnits: 200, used: 200, records: 1, isTrue: true },
    fullSpeed: { keys: 128, isTrue: true },
    kill: { isBalanced: true, isTrue: true, reopened: { leased: 0, rows: 1 } },
    store,
  })
  expect((await vsa('verify', store)).code).toBe(0)
  expect(await vsa('demo', '--store', store)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('(store_exists)') as string,
  })
})

test('L1, R1, R3, R4: the agents on Redis: one of five runs, and its reservation ends and is settled once', async ({
  skip,
}) => {
  const server = await redisServer(DURABLE)
  if ('reason' in server) return skip(server.reason)
  onTestFinished(() => server.stop())
  const { code, stdout, stderr } = await vsa('demo', 'agents', '--store', `${server.url}?prefix=agents`, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    expired: { reserved: 500 },
    atEnd: { reserved: 0, minted: 600 },
  })
})
