import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aFolder } from './store-fixture.ts'
import { vsa } from './run-cli.ts'

test('L1, L2, L3, L7: the demo on SQLite writes only net effects, and every row balances after a kill', async () => {
  const store = join(aFolder(), 'demo.db')
  const { code, stdout, stderr } = await vsa('demo', '--seconds', '1', '--store', store, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const found: unknown = JSON.parse(stdout)
  expect(found).toMatchObject({
    ok: true,
    netEffect: { operations: 1_000_000, netUnits: 200, used: 200, records: 1, isTrue: true },
    fullSpeed: { keys: 128, isTrue: true },
    kill: { isBalanced: true, isTrue: true, reopened: { leased: 0, rows: 1 } },
    store,
  })
  expect((await vsa('verify', store)).code).toBe(0)
})
