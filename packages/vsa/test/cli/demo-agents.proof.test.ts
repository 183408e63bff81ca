import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aFolder } from './store-fixture.ts'
import { vsa } from './run-cli.ts'

interface Found {
  readonly agents: readonly { readonly runs: boolean }[]
  readonly metered: number
}

test('L1, R1, R3, R4: of five agents one runs; killed, its reservation ends by itself and is settled by its id, once', async () => {
  const store = join(aFolder(), 'agents.db')
  const { code, stdout, stderr } = await vsa('demo', 'agents', '--store', store, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const found = JSON.parse(stdout) as Found
  const { metered } = found
  expect(metered).toBeGreaterThanOrEqual(200)
  expect(metered).toBeLessThan(500)
  expect([found.agents.length, found.agents.filter(({ runs }) => runs).length]).toEqual([5, 1])
  const aside = { minted: 600, used: 0, reserved: 500, pool: 100, burned: 0, leased: 0 }
  expect(found).toMatchObject({
    ok: true,
    atDeath: aside,
    isNextAdmitted: false,
    expired: aside,
    settled: { settled: metered, uncovered: 0, repeated: false },
    again: { settled: metered, uncovered: 0, repeated: true },
    atEnd: { minted: 600, used: metered, reserved: 0, pool: 600 - metered, burned: 0, leased: 0 },
    verify: { ok: true },
    store,
  })
  expect((await vsa('verify', store)).code).toBe(0)
  expect(await vsa('demo', 'agents', '--store', store)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('(store_exists)') as string,
  })
})

test('the text of the agents tells who runs and what was paid for, in 80 columns and without colours', async () => {
  const { code, stdout } = await vsa('demo', 'agents')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^[\u0020-\u007e\n]+$/)
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(stdout.match(/it does not run/g)).toHaveLength(4)
  expect(stdout).toMatch(/settle\(\d+\): \d+ stay spent, \d+ go back/)
  expect(stdout).not.toMatch(/wrong|not balance/i)
})
