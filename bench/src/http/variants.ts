/** What stands before a bare route. The server of each is a process of its own. */
export const VARIANTS = [
  'fastify bare',
  'fastify vsa',
  'fastify vsa, legacy headers',
  'fastify @fastify/rate-limit',
  'express bare',
  'express vsa',
  'express vsa, legacy headers',
  'express express-rate-limit',
] as const

export type Variant = (typeof VARIANTS)[number]

/** What a server process answers. */
export type ServerMessage =
  | { readonly kind: 'listening'; readonly port: number }
  /** Time of the processor since the process began, all threads, and requests that reached the handler. */
  | { readonly kind: 'usage'; readonly cpuMicroseconds: number; readonly handled: number }
  /** The same, after requests without a connection. */
  | { readonly kind: 'direct'; readonly cpuMicroseconds: number; readonly handled: number }
  /** `used` of the budget; null without VSA. */
  | { readonly kind: 'closed'; readonly handled: number; readonly used: number | null }
