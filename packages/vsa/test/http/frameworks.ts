import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { serve } from '@hono/node-server'
import express, { type NextFunction, type Request, type Response as ExpressResponse } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { chargeOf, expressLimit } from '../../src/express/index.ts'
import { fastifyLimit } from '../../src/fastify/index.ts'
import { honoLimit } from '../../src/hono/index.ts'
import type { Vsa } from '../../src/index.ts'
import {
  closeServer,
  type Framework,
  type Handler,
  type LimitedApp,
  MAX_HEADER_SIZE,
  type OptionsOf,
  statusOf,
  urlOf,
} from './limited-app.ts'

// It has no types of its own; what is used of them is the same in both versions.
const express4 = createRequire(import.meta.url)('express-4') as typeof express

export const FRAMEWORKS: readonly Framework[] = [
  { name: 'Express 5', start: (vsa, options, handler) => expressApp(express(), vsa, options, handler) },
  { name: 'Express 4', start: (vsa, options, handler) => expressApp(express4(), vsa, options, handler) },
  { name: 'Fastify 5', start: fastifyApp },
  { name: 'Hono 4', start: honoApp },
]

async function expressApp(
  app: ReturnType<typeof express>,
  vsa: Vsa,
  options: OptionsOf,
  handler: Handler,
): Promise<LimitedApp> {
  const errors: unknown[] = []
  app.use(
    expressLimit(
      vsa,
      options((request, name) => (request as Request).get(name)),
    ),
  )
  app.use((request: Request, response: ExpressResponse, next: NextFunction) => {
    handler({ path: request.path, charge: () => chargeOf(request) }).then((answer) => {
      if ('stream' in answer) return void response.write(answer.stream)
      response.status(answer.status).send(answer.body)
    }, next)
  })
  app.use((error: unknown, _request: Request, response: ExpressResponse, _next: NextFunction) => {
    errors.push(error)
    response.status(statusOf(error)).send('failed')
  })
  const server = createServer({ maxHeaderSize: MAX_HEADER_SIZE }, app)
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)))
  return { url: urlOf(server), errors, close: () => closeServer(server) }
}

async function fastifyApp(vsa: Vsa, options: OptionsOf, handler: Handler): Promise<LimitedApp> {
  const errors: unknown[] = []
  const app = fastify({ http: { maxHeaderSize: MAX_HEADER_SIZE }, forceCloseConnections: true })
  app.setErrorHandler((error, _request, reply) => {
    errors.push(error)
    return reply.code(statusOf(error)).send('failed')
  })
  await app.register(
    fastifyLimit(
      vsa,
      options((request, name) => (request as { raw: { headers: Record<string, string> } }).raw.headers[name]),
    ),
  )
  app.get('/*', async (request, reply) => {
    const answer = await handler({ path: request.url, charge: () => chargeOf(request) })
    if ('stream' in answer) return reply.send(Readable.from(endless(answer.stream)))
    return reply.code(answer.status).send(answer.body)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { url: urlOf(app.server), errors, close: () => app.close() }
}

async function* endless(text: string): AsyncGenerator<string> {
  yield text
  await new Promise(() => undefined)
}

async function honoApp(vsa: Vsa, options: OptionsOf, handler: Handler): Promise<LimitedApp> {
  const errors: unknown[] = []
  const app = new Hono()
  app.onError((error, c) => {
    errors.push(error)
    return c.body('failed', statusOf(error) as ContentfulStatusCode)
  })
  app.use(
    honoLimit(
      vsa,
      options((context, name) => (context as { req: { header(name: string): string | undefined } }).req.header(name)),
    ),
  )
  app.get('*', async (c) => {
    const answer = await handler({ path: c.req.path, charge: () => chargeOf(c) })
    if ('stream' in answer) return new Response(endlessBody(answer.stream))
    return new Response(answer.body, { status: answer.status })
  })
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    serverOptions: { maxHeaderSize: MAX_HEADER_SIZE },
  })
  await new Promise((listening) => server.once('listening', listening))
  if (!('closeAllConnections' in server)) throw new TypeError('a server of HTTP/1 is expected')
  return { url: urlOf(server), errors, close: () => closeServer(server) }
}

function endlessBody(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)) })
}
