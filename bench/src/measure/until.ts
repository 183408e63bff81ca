import type { ManualClock } from 'vsa/testing'

/** Waits for `work`, and moves time on by `stepMs` while it needs that. */
export async function until<T>(work: Promise<T>, clock: ManualClock, stepMs = 10): Promise<T> {
  let isDone = false
  const noted = work.finally(() => (isDone = true))
  noted.catch(() => undefined) // it is thrown below
  await clock.settle()
  while (!isDone) await clock.advance(stepMs)
  return noted
}
