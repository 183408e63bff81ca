import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import fastify from 'fastify'
import type { Family, Vsa } from 'vsa'
import { expressLimit } from 'vsa/express'
import { fastifyLimit } from 'vsa/fastify'
import type { Variant } from './variants.ts'

/** Never reached: what is measured is the way of a request that is served. */
export const LIMIT = 1_000_000_000
const HOUR_MS = 3_600_000

export interface ServedApp {
  readonly port: number
  readonly listener: RequestListener
  close(): Promise<unknown>
}

/** @param handle counts a request */
export function servedApp(variant: Variant, vsa: Vsa, clients: Family, handle: () => void): Promise<ServedApp> {
  return variant.startsWith('fastify')
    ? fastifyApp(variant, vsa, clients, handle)
    : expressApp(variant, vsa, clients, handle)
}

function headersOf(variant: Variant): { readonly headers?: 'legacy' } {
  return variant.endsWith('legacy headers') ? { headers: 'legacy' } : {}
}

async function fastifyApp(variant: Variant, vsa: Vsa, clients: Family, handle: () => void): Promise<ServedApp> {
  const app = fastify()
  if (variant === 'fastify @fastify/rate-limit')
    await app.register(fastifyRateLimit, { max: LIMIT, timeWindow: HOUR_MS })
  else if (variant !== 'fastify bare')
    await app.register(fastifyLimit(vsa, { budgets: { clients }, trustProxy: false, ...headersOf(variant) }))
  app.get('/', (_request, reply) => {
    handle()
    return reply.send('hello')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as AddressInfo).port,
    listener: (request, response) => app.routing(request, response),
    close: () => app.close(),
  }
}

async function expressApp(variant: Variant, vsa: Vsa, clients: Family, handle: () => void): Promise<ServedApp> {
  const app = express()
  if (variant === 'express express-rate-limit') app.use(rateLimit({ limit: LIMIT, windowMs: HOUR_MS }))
  else if (variant !== 'express bare')
    app.use(expressLimit(vsa, { budgets: { clients }, trustProxy: false, ...headersOf(variant) }))
  app.get('/', (_request, response) => {
    handle()
    response.send('hello')
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
  return { port: (server.address() as AddressInfo).port, listener: app, close }
}
