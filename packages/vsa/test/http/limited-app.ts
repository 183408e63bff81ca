import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Charge } from '../../src/http/reserved-units.ts'
import type { LimitOptions } from '../../src/http/limit-options.ts'
import type { Vsa } from '../../src/index.ts'

/** What a handler of a test answers. `stream` is sent, and then the response never ends. */
export type Answer = { readonly status: number; readonly body: string } | { readonly stream: string }

/** What a handler of a test gets. */
export interface HandlerCall {
  readonly path: string
  charge(): Charge
}

export type Handler = (call: HandlerCall) => Promise<Answer>

/** Options that are the same for every framework. @param header of a request */
export type OptionsOf = (header: (request: object, name: string) => string | undefined) => LimitOptions<object>

/** A real app on a real socket. */
export interface LimitedApp {
  readonly url: string
  /** What the error handler got. */
  readonly errors: unknown[]
  close(): Promise<unknown>
}

/** One framework. */
export interface Framework {
  readonly name: string
  start(vsa: Vsa, options: OptionsOf, handler: Handler): Promise<LimitedApp>
}

export const MAX_HEADER_SIZE = 200_000

export function urlOf(server: Pick<Server, 'address'>): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
}

export function statusOf(error: unknown): number {
  return error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
}
