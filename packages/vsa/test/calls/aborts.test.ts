import { expect, test } from 'vitest'
import { meteredFetch } from '../../src/openai/index.ts'
import { bench, FLUSH_MS } from '../engine/fixture.ts'
import { answering, chatRequest } from './answers.ts'

test.each([undefined, () => 'call-1'])(
  'a client that hangs up before the call, or while its reservation waits for the store: nothing is sent, and the units are back: id %s',
  async (id) => {
    for (const when of ['before', 'while it waits'] as const) {
      const world = bench()
      const { vsa, net } = world.owner()
      const budget = vsa.budget('credits', { initial: 1_000 })
      await vsa.ready()
      let sent = 0
      const provider = answering('x', null)
      const options = {
        ...{ budget, clock: world.clock, ttlMs: 60_000, ...(id && { id }) },
        fetch: (...asked: Parameters<typeof provider>) => {
          sent += 1
          return provider(...asked)
        },
      }
      const abort = new AbortController()
      if (when === 'before') abort.abort(new Error('gone'))
      else net.inject('exchange', { kind: 'delay', requestMs: 50, answerMs: 50 })
      const [url, init] = chatRequest()
      const asked = meteredFetch(options)(url, { ...init, signal: abort.signal }).catch((error: unknown) => error)
      await world.clock.settle()
      abort.abort(new Error('gone'))
      await world.clock.advance(5 * FLUSH_MS)
      expect(await asked).toMatchObject({ message: 'gone' })
      expect([when, sent]).toEqual([when, 0])
      await vsa.flush()
      expect(await budget.peek()).toMatchObject({ minted: 1_000, used: 0, reserved: 0, remaining: 1_000, burned: 0 })
      await vsa.close()
    }
  },
)
