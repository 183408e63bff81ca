import { turn } from './turn.ts'

export interface Done {
  readonly count: number
  readonly seconds: number
}

/**
 * Each caller asks again as soon as it has its decision, until the time is over. A timer says when: a look at the clock for each admission would take a
 * good part of what is measured.
 */
export async function callInLoops(ask: () => Promise<boolean>, callers: number, seconds: number): Promise<Done> {
  const startedAtMs = performance.now()
  let count = 0
  let isOver = false
  setTimeout(() => (isOver = true), seconds * 1_000)
  const caller = async (): Promise<void> => {
    do if (await ask()) count += 1
    while (!isOver)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { count, seconds: (performance.now() - startedAtMs) / 1_000 }
}

/** The same callers without VSA: what the language takes for them. Their promises are resolved by hand, all of them in each turn. */
export async function callByHand(callers: number, seconds: number): Promise<Done> {
  let waiting: ((admitted: boolean) => void)[] = []
  const ask = (): Promise<boolean> => new Promise((resolve) => waiting.push(resolve))
  let isOver = false
  const calling = callInLoops(ask, callers, seconds).finally(() => (isOver = true))
  while (!isOver) {
    const answered = waiting
    waiting = []
    for (const resolve of answered) resolve(true)
    await turn()
  }
  return calling
}
