import { expect, test } from 'vitest'
import { open } from '../../src/index.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { Store } from '../../src/core/store.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { manualClock } from '../../src/testing/index.ts'

/** An engine on a clock whose turns end one by one, and the pass of the event loop in which each exchange was sent and answered. */
function passes(): {
  readonly clock: Clock
  readonly store: Store
  readonly sent: number[]
  readonly answered: number[]
  next(): Promise<void>
} {
  const steady = manualClock()
  const books = memory({ now: () => steady.now() })
  const [sent, answered]: [number[], number[]] = [[], []]
  let waiting: (() => void)[] = []
  let pass = 0
  const clock: Clock = {
    now: () => steady.now(),
    monotonic: () => steady.monotonic(),
    timer: (ms, run, holds) => steady.timer(ms, run, holds),
    soon: (run) => void waiting.push(run),
  }
  const store: Store = {
    capabilities: books.capabilities,
    join: (label) => books.join(label),
    exchange: async (batch) => {
      sent.push(pass)
      const answer = await books.exchange(batch)
      answered.push(pass)
      return answer
    },
    read: (names) => books.read(names),
    list: (range) => books.list(range),
    owners: () => books.owners(),
    close: () => books.close(),
  }
  const next = async (): Promise<void> => {
    pass += 1
    const ending = waiting
    waiting = []
    for (const run of ending) run()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { clock, store, sent, answered, next }
}

test.each([
  {
    keys: 2_000,
    pausesOf: 3,
    what: 'the next batch is not made in the pass of the event loop that a large answer took',
  },
  { keys: 200, pausesOf: 1, what: 'after a small answer the next batch leaves at the end of its pass' },
])('L8: $what', async ({ keys, pausesOf }) => {
  const { clock, store, sent, answered, next } = passes()
  const vsa = open({ store, clock, random: () => 0.5 })
  const family = vsa.budgets('cold', { limit: 10, per: 'day' })
  await next()
  let admitted = 0
  const ask = (id: string): Promise<unknown> =>
    family
      .of(id)
      .admit()
      .then((isAdmitted) => (admitted += isAdmitted ? 1 : 0))
  const asked = Array.from({ length: keys }, (_, at) => ask(String(at)))
  await next()
  // Others ask in the pass of the answer: that must not start the next batch in it.
  asked.push(ask('late'))
  while (sent.length < 2) await next()
  expect((sent[1] ?? 0) - (answered[0] ?? 0)).toBe(pausesOf)
  while (admitted <= keys) await next()
  await Promise.all(asked)
  const closed = vsa.close()
  for (let pass = 0; pass < 10; pass += 1) await next()
  await closed
})
