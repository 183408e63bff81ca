import { type CallDenial, denialMessage } from '../calls/call-errors.ts'
import type { WireFormat } from './wire-format.ts'

/** The clients wait by themselves for so long, in ms, at most. A longer wait is the caller's to decide. */
const WAIT_MAX_MS = 60_000

/** Status 429 in the form of the provider. The client retries by itself only where that may help. */
export function deniedResponse(format: WireFormat, denial: CallDenial): Response {
  const { reason, retryAfterMs } = denial
  const headers = new Headers({ 'content-type': 'application/json', 'x-vsa-denied': reason })
  if (retryAfterMs !== undefined) headers.set('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))))
  if (retryAfterMs === undefined || retryAfterMs > WAIT_MAX_MS) headers.set('x-should-retry', 'false')
  return new Response(JSON.stringify(format.denied(denial, denialMessage(denial))), { status: 429, headers })
}
