import { parseArgs } from 'node:util'
import { machine } from '../report/machine.ts'
import { collector } from '../measure/collector.ts'
import type { BenchServer } from './bench-server.ts'
import { calls } from './calls.ts'
import { cold } from './cold.ts'
import { drain } from './drain.ts'
import { durable } from './durable.ts'
import { floorsOf } from './floors.ts'
import { flush, type FlushOfSize } from './flush.ts'
import { serverText } from './server-text.ts'
import { share, type Share } from './share.ts'
import { touched } from './touched.ts'

/**
 * Measures VSA on a throw-away server: `--part flush|calls|drain|durable|cold|touched|share` runs one part. The process exits with 1 when the books do not balance.
 * @param sizes changed budgets of each flush
 */
export async function benchmark(start: () => Promise<BenchServer>, sizes: readonly number[]): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      part: {
        type: 'string',
        multiple: true,
        default: ['flush', 'calls', 'drain', 'durable', 'cold', 'touched', 'share'],
      },
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '5' },
      budgets: { type: 'string', default: '1000000' },
    },
  })
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
  const asked = (part: string): boolean => values.part.includes(part)
  const host = machine()
  const server = await start()
  try {
    const flushes: FlushOfSize[] = []
    if (asked('flush')) for (const budgets of sizes) flushes.push(await flush(server, budgets, 4 * rounds))
    const parts = {
      ...(asked('flush') && { flush: flushes }),
      ...(asked('calls') && { calls: await calls(server, 128, Math.max(5, seconds)) }),
      ...(asked('drain') && { drain: await drain(server, 8) }),
      ...(asked('durable') && { durable: await durable(server, { processes: 4, callers: 1_024, seconds, rounds }) }),
      ...(asked('cold') && { cold: await cold(server, { owners: 100, processes: 4 }) }),
      ...(asked('touched') && { touched: await touched(server, Number(values.budgets), collector()) }),
      ...(asked('share') && { share: await shares(server, seconds, rounds) }),
    }
    const balanced = [
      ...flushes,
      ...(parts.share ?? []),
      parts.calls,
      parts.drain,
      parts.durable,
      parts.cold,
      parts.touched,
    ].every((part) => part?.balanced !== false)
    const { kind } = server
    const report = { bench: kind, machine: host, ...parts, floors: floorsOf(kind, parts), balanced }
    console.log(values.json ? JSON.stringify(report, null, 2) : serverText(report))
    if (!balanced) process.exitCode = 1
  } finally {
    await server.stop()
  }
}

/** With as many callers as in `durable`, and with one in each process, which asks again as soon as it has its answer. */
async function shares(server: BenchServer, seconds: number, rounds: number): Promise<readonly Share[]> {
  const many = await share(server, { processes: 4, callers: 256, seconds, rounds })
  return [many, await share(server, { processes: 4, callers: 1, seconds, rounds })]
}
