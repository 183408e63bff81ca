import { must, Violation } from './violation.ts'
import type { World } from './world.ts'

/** Waits, in simulated time, for a promise that must resolve. @returns undefined when the run has ended meanwhile */
export async function waitFor<T>(
  world: World,
  promise: Promise<T>,
  withinMs: number,
  what: string,
): Promise<T | undefined> {
  let ended: { readonly value: T } | null = null
  let failure: unknown
  promise.then(
    (value) => (ended = { value }),
    (error: unknown) => (failure = error),
  )
  await world.timeline.pass(withinMs, () => ended !== null || failure !== undefined)
  if (world.timeline.stopped) return undefined
  if (failure !== undefined) throw new Violation('L5', `${what}: ${String(failure)}`)
  const done = ended as { readonly value: T } | null
  must(done !== null, 'L5', () => `${what}: no answer within ${withinMs} ms`)
  return done.value
}
