import { open, type VsaEvent } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { Caller } from './caller.ts'
import { orderOf } from './order.ts'
import { seededRandom } from './random.ts'
import { TallyWriter } from './tally-file.ts'

/* A process that spends as fast as it is told to until it is killed, and writes down what it was told. It uses the built package, as users do. */

const order = orderOf(process.argv[2])
const tally = new TallyWriter(order.tally)
const vsa = open({
  store: sqlite(order.file, { leaseTtlMs: order.leaseTtlMs, thread: order.thread }),
  flushIntervalMs: order.flushIntervalMs,
  onEvent: noteEvent,
})
const caller = new Caller(vsa, order, tally, seededRandom(order.seed))

process.on('SIGTERM', () => {
  caller.stop()
  vsa.close().then(
    () => {
      tally.note('C')
      process.exit(0)
    },
    (error: unknown) => {
      caller.noteError(error)
      process.exit(1)
    },
  )
})
// Whoever started this may be gone, and nobody else will end it.
process.stdin.on('end', () => process.exit(3)).resume()
setTimeout(() => process.exit(3), order.lifeMaxMs).unref()
vsa
  .ready()
  .catch((error: unknown) => caller.noteError(error))
  .finally(() => process.stdout.write('ready\n'))
await Promise.all(Array.from({ length: order.callers }, () => caller.run()))

function noteEvent(event: VsaEvent): void {
  if (event.type === 'refunds_refused')
    tally.note('X', event.key, event.units, order.budgets[event.key]?.isWindowed === true ? event.period : 0)
  tally.note('E', event.type === 'store_away' ? event.error.code : event.type, 'units' in event ? event.units : 0)
}
