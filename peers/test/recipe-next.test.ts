import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { sparePort } from 'vsa-servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesOf, peers, root } from './recipe-page.ts'
import { served } from './recipe-server.ts'

/** In the repository, because the bundler of Next follows no link out of its root. Removed after the tests. */
const folder = join(peers, 'next-app')
const next = join(peers, 'node_modules/next/dist/bin/next')
const env = { NEXT_TELEMETRY_DISABLED: '1', NEXT_MANUAL_SIG_HANDLE: 'true', NODE_ENV: 'production' } as const
/** It takes half a minute on two free cores. */
const BUILD_TIMEOUT_MS = 600_000

const removed = (): void => rmSync(folder, { recursive: true, force: true })
afterAll(removed)

beforeAll(async () => {
  removed()
  for (const { path, code } of filesOf('Next')) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, path === 'next.config.mjs' ? withRoot(code) : code)
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  await promisify(execFile)(process.execPath, [next, 'build'], { cwd: folder, env: { ...process.env, ...env } })
}, BUILD_TIMEOUT_MS)

/** The packages are in folders above the app. */
function withRoot(config: string): string {
  return config.replace('export default {', `export default { turbopack: { root: ${JSON.stringify(root)} },`)
}

test(
  'Next: the proxy limits the calls, the route handler charges credits and gives them back, and the app closes in order',
  async () => {
    const port = await sparePort()
    const server = await served([next, 'start', '--port', String(port), '--hostname', '127.0.0.1'], port, {
      cwd: folder,
      env,
    })
    const reported = async (apiKey: string, topic: string): Promise<readonly unknown[]> => {
      const answer = await fetch(`${server.url}/api/report`, {
        method: 'POST',
        body: topic,
        headers: { 'x-api-key': apiKey },
      })
      return [answer.status, answer.ok ? await answer.json() : Number(answer.headers.get('retry-after')) > 0]
    }
    expect(await reported('ada', 'cats')).toEqual([200, { report: 'all about cats', left: 20 }])
    expect(await reported('ada', '')).toEqual([500, false])
    expect(await reported('ada', 'dogs')).toEqual([200, { report: 'all about dogs', left: 10 }])
    expect(await reported('ada', 'emus')).toEqual([200, { report: 'all about emus', left: 0 }])
    expect(await reported('ada', 'bats')).toEqual([402, false])
    expect(await reported('ada', 'bats')).toEqual([429, true])
    expect(await reported('bob', 'cats')).toEqual([200, { report: 'all about cats', left: 20 }])
    expect(await server.ended()).toMatchObject({ exit: 0 })

    const vsa = join(root, 'packages/vsa/bin/vsa.js')
    const { stdout } = await promisify(execFile)(process.execPath, [vsa, 'usage', 'vsa.db', '--csv'], { cwd: folder })
    const rows = stdout.split('\n').map((row) => row.replace(/,.*Z,/, ','))
    // Limit, minted, used, reserved, burned, leased: one engine for proxy and routes, and nothing burned (L2).
    expect(rows).toEqual(
      expect.arrayContaining(['calls:ada,5,5,5,0,0,0', 'calls:bob,5,5,1,0,0,0', 'credits:ada,,,30,30,30,0,0,0']),
    )
  },
  BUILD_TIMEOUT_MS,
)
