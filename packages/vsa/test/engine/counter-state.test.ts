import { expect, test } from 'vitest'
import { counterState, settleCounter } from '../../src/engine/budget/counter-state.ts'
import { Deferred } from '../../src/engine/runtime/deferred.ts'
import { manualClock } from '../../src/testing/index.ts'

function reader(): Deferred<number> {
  const deferred = new Deferred<number>(manualClock(), 100, () => new Error('late'))
  deferred.promise.catch(() => undefined)
  return deferred
}

test('a counter whose answer tells no value fails its readers: a wrong number would be worse', async () => {
  const counter = counterState('likes')
  const waiting = reader()
  counter.readersSent = [waiting]
  counter.pending = 3
  settleCounter(counter, null, false, () => undefined)
  await expect(waiting.promise).rejects.toMatchObject({ code: 'store_failed' })
  expect(counter).toMatchObject({ pending: 3, sent: null, readersSent: [] })
})

test('reads that have timed out do not stay with the counter while the store hangs', () => {
  const { readers } = counterState('likes')
  for (let read = 0; read < 10_000; read += 1) {
    const late = reader()
    readers.add(late)
    late.reject(new Error('late'))
  }
  expect(readers.length).toBeLessThanOrEqual(40)
})
