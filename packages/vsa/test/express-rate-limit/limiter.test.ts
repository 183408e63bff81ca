import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import express, { type RequestHandler } from 'express'
import { type Options, rateLimit, type Store } from 'express-rate-limit'
import { expect, test } from 'vitest'
import { VsaStore } from '../../src/express-rate-limit/index.ts'
import { open, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
}

/** A real server with the real limiter. `/fails` answers 500. */
async function served(
  options: Partial<Options>,
  run: (get: (path?: string) => Promise<Answer>, vsa: Vsa) => Promise<void>,
): Promise<void> {
  const vsa = open({ store: memory(), onEvent: () => undefined })
  const store = new VsaStore(vsa)
  // What the limiter wants of a store is what ours has.
  const typed: Store = store
  const app = express()
  const windowMs = 400 * 86_400_000
  app.use(rateLimit({ windowMs, limit: 3, standardHeaders: 'draft-8', store: typed, ...options }) as RequestHandler)
  app.get('/fails', (_request, response) => void response.status(500).end())
  app.get('/', (_request, response) => void response.end())
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    await run((path = '/') => fetch(`http://127.0.0.1:${port}${path}`), vsa)
  } finally {
    server.close()
    server.closeAllConnections()
    await vsa.close()
  }
}

test('the limiter of express-rate-limit lets the limit through, with its headers', async () => {
  await served({}, async (get, vsa) => {
    const answers: Answer[] = []
    for (let request = 0; request < 5; request += 1) answers.push(await get())
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429])
    const remaining = answers.map(({ headers }) => /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
    expect(remaining).toEqual(['2', '1', '0', '0', '0'])
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(vsa.stats().admittedUnits).toBe(3)
  })
})

test('of 50 requests at once exactly the limit is let through', async () => {
  await served({}, async (get) => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => get()))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
  })
})

test('skipFailedRequests: what failed is given back, and what was denied gives nothing back', async () => {
  await served({ skipFailedRequests: true }, async (get) => {
    const statuses: number[] = []
    for (const path of ['/fails', '/fails', '/fails', '/fails', '/', '/', '/', '/', '/', '/'])
      statuses.push((await get(path)).status)
    expect(statuses).toEqual([500, 500, 500, 500, 200, 200, 200, 429, 429, 429])
  })
})

test('passOnStoreError: a failure lets the request through, and is an error without it', async () => {
  for (const passOnStoreError of [true, false]) {
    await served({ passOnStoreError, logger: { error: () => undefined, warn: () => undefined } }, async (get, vsa) => {
      await vsa.close()
      expect((await get()).status).toBe(passOnStoreError ? 200 : 500)
    })
  }
})
