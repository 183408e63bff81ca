import { child } from './sqlite-children.ts'
import { newPath } from './sqlite-fixture.ts'

/*
 * Programs that end while the thread of their store is busy. libsql and better-sqlite3 abort the process (SIGABRT) when their thread is ended while it is
 * inside them. A thread of the program that is ended from outside is not tried: then nothing can hold libsql back, only make it rare (see the option `thread`).
 */

const AT_ONCE = 4

/** The ends of many processes: exit codes, or signals. */
export async function endsOf(source: string, rounds: number): Promise<ReadonlySet<number | string | null>> {
  const codes = new Set<number | string | null>()
  for (let round = 0; round < rounds; round += AT_ONCE) {
    const children = Array.from({ length: AT_ONCE }, () => child(newPath(), source))
    for (const code of await Promise.all(children.map(({ ended }) => ended))) codes.add(code)
  }
  return codes
}

/** Exchanges without a pause, from a store whose thread may wait ten minutes for a lock. */
export const BUSY = `const store = sqlite(path, { driver: 'libsql', busyTimeoutMs: 600_000 })
  const { epoch, token, incarnation } = await store.join('child')
  const entries = Array.from({ length: 200 }, (_, index) => ({ kind: 'counter', key: 'c' + index, add: 1 }))
  const flush = async () => {
    for (let seq = 1; ; seq += 1) await store.exchange({ epoch, token, incarnation, seq, entries, takes: [], close: false })
  }`

/** The same in a thread of the program. */
const inWorker = (whenUp: string, then: string): string => `
  import { isMainThread, parentPort, Worker } from 'node:worker_threads'
  if (isMainThread) {
    const worker = new Worker(new URL(import.meta.url))
    worker.on('message', () => { ${whenUp} })
  } else {
    ${BUSY}
    parentPort.postMessage('up')
    ${then}
  }`

const SOON = 'setTimeout(() => process.exit(7), 5 + 60 * Math.random())'

/** Programs that exit with 7, at a random moment. */
export const EXITS: readonly (readonly [what: string, source: string])[] = [
  ['while its thread flushes', `${BUSY}\nflush()\n${SOON}`],
  ['while its thread starts', `sqlite(path, { driver: 'libsql' }).join('child').catch(() => {})\n${SOON}`],
  ['from a thread of its own', inWorker(`worker.on('exit', (code) => process.exit(code))`, `flush(); ${SOON}`)],
]
