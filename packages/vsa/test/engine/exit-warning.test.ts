import { afterEach, expect, test, vi } from 'vitest'
import { settingsOf } from '../../src/engine/api/settings.ts'
import { Engine } from '../../src/engine/engine.ts'
import { NaturalExit } from '../../src/engine/natural-exit.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock } from '../../src/testing/index.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

test('an exit without a close says what is lost, also what was given back before the first join', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const clock = manualClock()
  const listeners: (() => void)[] = []
  const process = {
    on: (event: string, listener: () => void) => event === 'exit' && listeners.push(listener),
    off: () => undefined,
  }
  const store = faultyStore(memory({ now: () => clock.now() }), { clock })
  store.cut('refuse')
  const settings = settingsOf({ store, clock, onEvent: () => undefined }, { label: 'test', clock, random: () => 0.5 })
  const vsa = new Engine(settings, new NaturalExit(process, clock))
  const exit = (): void => {
    for (const listener of listeners) listener()
  }
  exit()
  expect(warned).not.toHaveBeenCalled()
  await clock.settle()
  const calls = vsa.budgets('calls', { limit: 100, per: 'month', atRisk: 10 })
  calls.of('a').refund(3)
  calls.of('b').refund(1)
  calls.of('a').refund(3)
  vsa.counter('likes').add(1)
  exit()
  expect(warned.mock.calls).toEqual([
    [expect.stringContaining('the additions to 1 counter are lost, 7 units that were given back are lost.')],
  ])
})
