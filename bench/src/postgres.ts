import { parseArgs } from 'node:util'
import { calls } from './postgres/calls.ts'
import { drain } from './postgres/drain.ts'
import { durable } from './postgres/durable.ts'
import { floorsOf } from './postgres/floors.ts'
import { flush, type FlushOfSize } from './postgres/flush.ts'
import { postgresText } from './postgres/postgres-text.ts'
import { benchServer } from './postgres/server.ts'
import { machine } from './report/machine.ts'

/*
 * `npm run bench:postgres`: VSA on a throw-away Postgres server with fsync on. `--part flush|calls|drain|durable` runs one part.
 * Exits with 1 when the books do not balance.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    part: { type: 'string', multiple: true, default: ['flush', 'calls', 'drain', 'durable'] },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
  },
})
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
const asked = (part: string): boolean => values.part.includes(part)

const host = machine()
const server = await benchServer()
try {
  const sizes: FlushOfSize[] = []
  if (asked('flush'))
    for (const budgets of [1, 128, 1_000, 10_000]) sizes.push(await flush(server, budgets, 4 * rounds))
  const parts = {
    ...(asked('flush') && { flush: sizes }),
    ...(asked('calls') && { calls: await calls(server, 128, Math.max(5, seconds)) }),
    ...(asked('drain') && { drain: await drain(server, 8) }),
    ...(asked('durable') && { durable: await durable(server, { processes: 4, callers: 1_024, seconds, rounds }) }),
  }
  const balanced = [...sizes, parts.calls, parts.drain, parts.durable].every((part) => part?.balanced !== false)
  const report = { bench: 'postgres', machine: host, ...parts, floors: floorsOf(parts), balanced }
  console.log(values.json ? JSON.stringify(report, null, 2) : postgresText(report))
  if (!balanced) process.exitCode = 1
} finally {
  await server.stop()
}
