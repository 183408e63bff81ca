import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { serve } from '@hono/node-server'
import express, { type NextFunction, type Request, type Response as ExpressResponse } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { afterEach, describe, expect, test } from 'vitest'
import { expressLimit } from '../../src/express/index.ts'
import { fastifyLimit } from '../../src/fastify/index.ts'
import { honoLimit } from '../../src/hono/index.ts'
import { whenChecked } from '../../src/http/when-checked.ts'
import type { LimitOptions } from '../../src/http/limit-options.ts'
import { open, type Vsa } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { get, until } from './client.ts'
import { closeServer, urlOf } from './limited-app.ts'

/* What the user's own handler throws: the framework's error handler gets it, once, and the units are as documented. */

const express4 = createRequire(import.meta.url)('express-4') as typeof express

interface App {
  readonly url: string
  close(): Promise<unknown>
}
type Handler = () => string | Promise<string>
type Start = (
  vsa: Vsa,
  options: LimitOptions<object>,
  handler: Handler,
  failed: (error: unknown) => void,
) => Promise<App>

const FRAMEWORKS: readonly (readonly [name: string, start: Start])[] = [
  ['Express 5', (...app) => expressApp(express(), ...app)],
  ['Express 4', (...app) => expressApp(express4(), ...app)],
  ['Fastify 5', fastifyApp],
  ['Hono 4', honoApp],
]

async function expressApp(
  app: ReturnType<typeof express>,
  ...[vsa, options, handler, failed]: Parameters<Start>
): Promise<App> {
  app.use(expressLimit(vsa, options))
  app.use((_request: Request, response: ExpressResponse, next: NextFunction) => {
    const answer = handler()
    if (typeof answer === 'string') return void response.send(answer)
    const sent = answer.then((body) => void response.send(body))
    if (!isExpress4(app)) return sent
    // It takes no promises.
    // oxlint-disable-next-line promise/no-callback-in-promise
    sent.catch(next)
    return undefined
  })
  app.use((error: unknown, _request: Request, response: ExpressResponse, _next: NextFunction) => {
    failed(error)
    response.status(500).send('failed')
  })
  const server = createServer(app)
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)))
  return { url: urlOf(server), close: () => closeServer(server) }
}

function said(answer: string | Promise<string>): string {
  if (typeof answer === 'string') return answer
  throw new TypeError('a handler that answers at once')
}

function isExpress4(app: object): boolean {
  return 'lazyrouter' in app
}

async function fastifyApp(...[vsa, options, handler, failed]: Parameters<Start>): Promise<App> {
  const app = fastify({ forceCloseConnections: true })
  app.setErrorHandler((error, _request, reply) => {
    failed(error)
    return reply.code(500).send('failed')
  })
  await app.register(fastifyLimit(vsa, options))
  app.get('/*', (_request, reply) => {
    const answer = handler()
    return typeof answer === 'string' ? void reply.send(answer) : answer
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return { url, close: () => app.close() }
}

async function honoApp(...[vsa, options, handler, failed]: Parameters<Start>): Promise<App> {
  const app = new Hono()
  app.onError((error, context) => {
    failed(error)
    return context.text('failed', 500)
  })
  app.use(honoLimit(vsa, options))
  app.get('/sync', (context) => context.text(said(handler())))
  app.get('/', async (context) => context.text(await handler()))
  const server = await new Promise<ReturnType<typeof serve>>((listening) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => listening(made))
  })
  if (!('closeAllConnections' in server)) throw new Error('a server of HTTP/1')
  return { url: urlOf(server), close: () => closeServer(server) }
}

const running: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of running.splice(0)) await close()
})

const THROWN = new Error('of the handler')
const HANDLERS: readonly (readonly [string, Handler])[] = [
  [
    'throws',
    () => {
      throw THROWN
    },
  ],
  ['rejects', () => Promise.reject(THROWN)],
]

describe.each(FRAMEWORKS)('%s', (_name, start) => {
  test.each(HANDLERS)(
    'L2: a handler that %s, after a decision of this turn or of the store: it runs once, the error handler has its error once, and refundWhen and reserve count as documented',
    async (how, handler) => {
      const vsa = open({ store: memory(), onEvent: () => undefined })
      running.push(() => vsa.close())
      await vsa.ready()
      for (const mode of ['quick', 'store', 'refundWhen', 'reserve', 'reserve and refundWhen'] as const) {
        const budget =
          mode === 'quick'
            ? vsa.budget(mode, { limit: 1_000, per: 'day', atRisk: 500 })
            : vsa.budget(mode, { initial: 1_000 })
        let handled = 0
        const errors: unknown[] = []
        const options: LimitOptions<object> = {
          budgets: { [mode]: budget },
          cost: 10,
          trustProxy: false,
          ...(mode.includes('refundWhen') && { refundWhen: ({ status }) => status >= 500 }),
          ...(mode.startsWith('reserve') && { reserve: {} }),
        }
        const counted: Handler = () => {
          handled += 1
          return handler()
        }
        const app = await start(vsa, options, counted, (error) => errors.push(error))
        running.push(() => app.close())
        for (let request = 0; request < 3; request += 1) {
          const { status, body } = await get(`${app.url}${how === 'throws' ? '/sync' : '/'}`)
          expect([mode, status, body]).toEqual([mode, 500, 'failed'])
        }
        expect([mode, handled, errors]).toEqual([mode, 3, [THROWN, THROWN, THROWN]])
        const isBack = mode.includes('refundWhen')
        if (isBack) await until(() => vsa.stats().refundedUnits % 30 === 0 && vsa.stats().refundedUnits > 0)
        await vsa.flush()
        const { minted, used, reserved, remaining, burned } = await budget.peek()
        expect([mode, used, reserved, used + remaining + burned]).toEqual([mode, isBack ? 0 : 30, 0, minted])
      }
    },
  )
})

describe('what comes after a check that took longer', () => {
  const outcome = { kind: 'skipped' } as const
  const thrower = (): never => {
    throw THROWN
  }

  test('an error of the handler is not told as one of the check, which would run what follows twice', async () => {
    const told: unknown[] = []
    let runs = 0
    const run = (): void => {
      runs += 1
      throw THROWN
    }
    const unhandled = unhandledRejection()
    whenChecked(Promise.resolve(outcome), () => run, (error) => told.push(error)) // oxfmt-ignore
    expect(await unhandled).toBe(THROWN)
    expect([runs, told]).toEqual([1, []])
  })

  test('an error of the check, and of the headers, is told once', async () => {
    const told: unknown[] = []
    whenChecked(Promise.resolve().then(thrower), () => thrower, (error) => told.push(error)) // oxfmt-ignore
    whenChecked(Promise.resolve(outcome), thrower, (error) => told.push(error)) // oxfmt-ignore
    await until(() => told.length === 2)
    expect(told).toEqual([THROWN, THROWN])
  })
})

/** The next one, which the runner is not told of. */
async function unhandledRejection(): Promise<unknown> {
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  try {
    return await new Promise((resolve) => process.once('unhandledRejection', resolve))
  } finally {
    for (const other of others) process.on('unhandledRejection', other)
  }
}
