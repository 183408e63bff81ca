import { expect, test } from 'vitest'
import { meteredFetch } from '../../src/openai/index.ts'
import { credits } from '../calls/credits.ts'
import { piecesOf, streamOf } from './fake-provider.ts'
import { wireAnswer, wireEvents } from './wire-events.ts'

const URL_OF_RESPONSES = 'http://localhost/v1/responses'

function request(more: object): RequestInit {
  const body = { model: 'gpt-test', input: 'x'.repeat(80), max_output_tokens: 200, ...more }
  return { method: 'POST', body: JSON.stringify(body) }
}

test('a response that the provider works out in the background is charged all that was reserved: its usage is never seen', async () => {
  const answer = { ...wireAnswer('responses', '', null), background: true }
  const cases = [
    [{ background: true }, { ...answer, status: 'queued' }],
    // Where a proxy asks for it.
    [{}, { ...answer, status: 'queued' }],
    [{}, { ...answer, status: 'in_progress' }],
  ] as const
  for (const [more, body] of cases) {
    const { budget, onSettled, settlements, used } = credits(10_000)
    const fetch = meteredFetch({ budget, onSettled, fetch: async () => Response.json(body) })
    expect(await (await fetch(URL_OF_RESPONSES, request(more))).json()).toEqual(body)
    const [{ reservedUnits } = { reservedUnits: 0 }] = settlements
    expect(reservedUnits).toBe(220)
    expect(settlements).toMatchObject([{ outcome: 'finished', usedUnits: reservedUnits, isEstimated: true }])
    expect(await used()).toBe(reservedUnits)
  }
})

test('a background stream is charged its usage where it was read to its end, else all that was reserved: the provider goes on', async () => {
  const events = wireEvents('responses', ['Hello', '!'], { input: 30, output: 100 })
  for (const isRead of [true, false]) {
    const { budget, onSettled, settlements, used } = credits(10_000)
    const headers = { 'content-type': 'text/event-stream' }
    const send = async (): Promise<Response> => new Response(streamOf(piecesOf(events, undefined)), { headers })
    const fetch = meteredFetch({ budget, onSettled, fetch: send })
    const response = await fetch(URL_OF_RESPONSES, request({ background: true, stream: true }))
    if (isRead) await response.text()
    else await response.body?.cancel()
    expect(settlements[0]?.usedUnits).toBe(isRead ? 130 : settlements[0]?.reservedUnits)
    expect(await used()).toBe(settlements[0]?.usedUnits)
  }
})
