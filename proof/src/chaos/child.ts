import { open, type VsaEvent } from 'vsa'
import { CallLogWriter } from './call-log.ts'
import { storeAt } from './chaos-store.ts'
import { JOINED, parseChildConfig } from './child-config.ts'
import { Rng } from '../simulation/rng.ts'
import { Workload } from './workload.ts'

/* A process that uses the built package as fast as its configuration allows, until it is killed, and logs its calls and their answers. */

/** Longer than the server is away or stopped. */
const CLOSE_DEADLINE_MS = 60_000

const config = parseChildConfig(process.argv[2])
const log = new CallLogWriter(config.callLog)
const vsa = open({
  store: storeAt(config.place, config),
  flushIntervalMs: config.flushIntervalMs,
  onEvent: logEvent,
})
const workload = new Workload(vsa, config, log, new Rng(config.seed))
const closeRequested = new Promise<void>((resolve) => process.on('SIGTERM', () => resolve()))

// The input ends when the process pool exits. Then this process must exit too.
process.stdin.on('end', () => process.exit(3)).resume()
setTimeout(() => process.exit(3), config.lifeMaxMs).unref()
await Promise.all([printReady(), closeWhenRequested(), ...Array.from({ length: config.callers }, () => workload.run())])

async function printReady(): Promise<void> {
  try {
    await vsa.ready()
    process.stdout.write(`${JOINED}\n`)
  } catch (error) {
    workload.logError(error)
    process.stdout.write('not joined\n')
  }
}

/** Closes while calls are under way: those must get an answer, too. */
async function closeWhenRequested(): Promise<void> {
  await closeRequested
  workload.stop()
  try {
    await vsa.close({ deadlineMs: CLOSE_DEADLINE_MS })
    log.write('closed')
    process.exit(0)
  } catch (error) {
    workload.logError(error)
    process.exit(1)
  }
}

function logEvent(event: VsaEvent): void {
  if (event.type === 'refunds_refused') {
    const { isWindowed } = config.budgets[event.key] ?? { isWindowed: false }
    log.write('refused', event.key, event.units, isWindowed ? event.period : 0)
  }
  const units = 'units' in event ? event.units : 0
  log.write('event', event.type === 'store_away' ? event.error.code : event.type, units)
}
