import { expect, test } from 'vitest'
import { LogClock } from '../../src/cli/replay/log-clock.ts'

test('timers fire in order, each at its due time', async () => {
  const clock = new LogClock(1_000)
  const fired: string[] = []
  const note = (name: string) => () => fired.push(`${name} at ${clock.now()} (${clock.monotonic()})`)
  clock.timer(50, note('late'))
  clock.timer(10, note('early'))
  clock.timer(10, note('early too'))
  clock.timer(20, note('cancelled')).cancel()
  clock.timer(10, () => clock.timer(5, note('chained')))
  await clock.moveTo(1_040)
  expect(fired).toEqual(['early at 1010 (10)', 'early too at 1010 (10)', 'chained at 1015 (15)'])
  expect(clock.now()).toBe(1_040)
  await clock.moveTo(1_050)
  expect(fired.at(-1)).toBe('late at 1050 (50)')
})

test('advancing without a due timer does not wait', () => {
  const clock = new LogClock(0)
  clock.timer(50, () => undefined)
  expect(clock.moveTo(49)).toBeUndefined()
  expect(clock.moveTo(50)).toBeInstanceOf(Promise)
})

test('time never goes back', async () => {
  const clock = new LogClock(100)
  await clock.moveTo(50)
  expect(clock.now()).toBe(100)
})

test('time does not advance while work is under way', async () => {
  const clock = new LogClock(0)
  const seen: number[] = []
  clock.timer(10, () => {
    const call = new Promise<void>((resolve) => setTimeout(resolve, 5))
    clock.during(call).then(
      () => seen.push(clock.now()),
      () => undefined,
    )
  })
  await clock.moveTo(1_000)
  expect(seen).toEqual([10])
  clock.soon(() => seen.push(clock.now()))
  await clock.moveTo(2_000)
  expect(seen).toEqual([10, 1_000])
})

test('waiting moves time from timer to timer until the promise settles', async () => {
  const clock = new LogClock(0)
  const wanted = new Promise<string>((resolve) => clock.timer(30, () => clock.timer(30, () => resolve('there'))))
  clock.timer(600, () => undefined)
  expect(await clock.until(wanted)).toBe('there')
  expect(clock.now()).toBe(60)
  await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no')
})

test('work at the present time does not wait for other work of that time', async () => {
  const clock = new LogClock(100)
  const ran: number[] = []
  clock.soon(() => ran.push(clock.now()))
  expect(clock.moveTo(100)).toBeUndefined()
  expect(ran).toEqual([])
  await clock.settle()
  expect(ran).toEqual([100])
})

test('turns of the event loop run nothing by themselves, so that the pace of the reader changes nothing', async () => {
  const clock = new LogClock(0)
  let hasRun = false
  clock.soon(() => (hasRun = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(hasRun).toBe(false)
  await clock.moveTo(1)
  expect(hasRun).toBe(true)
})

test('what is to run soon may ask for more, all at one time', async () => {
  const clock = new LogClock(0)
  const seen: string[] = []
  clock.soon(() => {
    seen.push(`first at ${clock.now()}`)
    clock.soon(() => seen.push(`second at ${clock.now()}`))
  })
  await clock.moveTo(10)
  expect(seen).toEqual(['first at 0', 'second at 0'])
})
