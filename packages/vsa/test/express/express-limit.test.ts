import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import express, { type Request } from 'express'
import { afterEach, expect, test } from 'vitest'
import { expressLimit } from '../../src/express/index.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'
import { get, limitHeaders } from '../http/client.ts'
import { closeServer, urlOf } from '../http/limited-app.ts'

// It has no types of its own; what is used of them is the same in both versions.
const express4 = createRequire(import.meta.url)('express-4') as typeof express

const running: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of running.splice(0)) await close()
})

async function listening(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener)
  running.push(() => closeServer(server))
  await new Promise((listens) => server.listen(0, '127.0.0.1', () => listens(undefined)))
  return urlOf(server)
}

function engine(): { readonly clock: ReturnType<typeof manualClock>; readonly vsa: ReturnType<typeof open> } {
  const clock = manualClock()
  return { clock, vsa: open({ store: memory(), clock }) }
}

test.each([
  ['Express 5', express],
  ['Express 4', express4],
])(
  '%s: two middlewares: the second one writes behind the first, and each route may have its own',
  async (_name, framework) => {
    const { clock, vsa } = engine()
    const all = vsa.budgets('all', { limit: 10, per: 'minute' })
    const search = vsa.budgets('search', { limit: 1, per: 'minute' })
    const app = framework()
    app.use(expressLimit(vsa, { budgets: { all }, clock }))
    const perKey = expressLimit<Request>(vsa, {
      budgets: { search: { from: search, by: (request) => request.get('x-api-key') ?? '' } },
      clock,
    })
    app.get('/search', perKey, (_request, response) => void response.send('found'))
    app.get('/', (_request, response) => void response.send('hello'))
    const url = await listening(app)
    expect(limitHeaders(await get(url))['ratelimit']).toBe('"all";r=9;t=60')
    const key = { 'x-api-key': 'k-1' }
    expect(limitHeaders(await get(`${url}/search`, key))['ratelimit']).toBe('"all";r=8;t=60, "search";r=0;t=60')
    const denied = await get(`${url}/search`, key)
    expect([denied.status, limitHeaders(denied)['ratelimit']]).toEqual([429, '"all";r=7;t=60, "search";r=0;t=60'])
  },
)

test.each([
  ['answers', 'slow down, calls'],
  ['throws', 'of onDenied'],
  ['rejects', 'of onDenied'],
])('onDenied that %s', async (what, body) => {
  const { clock, vsa } = engine()
  const calls = vsa.budgets('calls', { limit: 0, per: 'minute' })
  const app = express()
  app.use(
    expressLimit(vsa, {
      budgets: { calls },
      clock,
      onDenied: ({ budget }, _request, response) => {
        if (what === 'throws') throw new Error('of onDenied')
        return what === 'rejects' ? Promise.reject(new Error('of onDenied')) : response.end(`slow down, ${budget}`)
      },
    }),
  )
  app.use((error: Error, _request: Request, response: express.Response, _next: express.NextFunction) => {
    response.send(error.message)
  })
  const answer = await get(await listening(app))
  expect([answer.status, answer.body]).toEqual([429, body])
  expect(limitHeaders(answer)).toMatchObject({ ratelimit: '"calls";r=0;t=60' })
})

test('it needs no Express: a server of Node is enough', async () => {
  const { clock, vsa } = engine()
  const calls = vsa.budgets('calls', { limit: 1, per: 'minute' })
  const limit = expressLimit<IncomingMessage>(vsa, { budgets: { calls }, clock })
  const url = await listening((request, response) => limit(request, response, () => response.end('hello')))
  expect([(await get(url)).status, (await get(url)).status]).toEqual([200, 429])
})

test('a request without an address gets no budget of its own kind', async () => {
  const { clock, vsa } = engine()
  const limit = expressLimit(vsa, { budgets: { calls: vsa.budgets('calls', { limit: 1, per: 'minute' }) }, clock })
  const response = { statusCode: 200, headersSent: false, destroyed: false, writableFinished: false }
  const error = await new Promise((go) => {
    const none = { getHeader: () => undefined, setHeader: () => undefined, end: () => undefined, once: () => undefined }
    limit({ headers: {}, socket: {} }, { ...response, ...none }, go)
  })
  expect(error).toMatchObject({ code: 'address_missing' })
  expect(vsa.stats().budgets).toBe(0)
})

test('wrong options are refused when the app is made', () => {
  const { vsa } = engine()
  const budgets = { calls: vsa.budgets('calls', { limit: 1, per: 'minute' }) }
  expect(() => expressLimit(vsa, { budgets, trustProxy: true as never })).toThrow('options.trustProxy must not be true')
  expect(() => expressLimit(vsa, { budgets, ...{ limit: 5 } })).toThrow('options.limit is not known; it has budgets')
})
