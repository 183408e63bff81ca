import { parseArgs } from 'node:util'
import { httpRun, type HttpTable } from './http/http-run.ts'
import { atMost } from './report/floor.ts'
import { short, verdict } from './report/format.ts'
import { machine, machineLine } from './report/machine.ts'
import { table } from './report/table.ts'
import { withTemporaryFolder } from './sqlite/temporary-folder.ts'

/*
 * `npm run bench:http`: the overhead on a bare route, compared with @fastify/rate-limit and express-rate-limit, which count in memory; VSA is on SQLite.
 * Exits with 1 when the books do not balance.
 */

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '15' },
    seconds: { type: 'string', default: '1' },
    connections: { type: 'string', default: '16' },
  },
})
const schedule = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  connections: Number(values.connections),
}

const host = machine()
const run = await withTemporaryFolder((folder) => httpRun(folder, schedule))
const floors = Object.entries({ 'on loopback': run.network, 'without a connection': run.direct }).flatMap(
  ([way, { ratios }]) =>
    ratios.flatMap(({ variant, rival, ratio, lowRatio }) => [
      atMost(`${variant}: overhead ${way}, of that of ${rival}`, ratio, 0.5),
      atMost(`${variant}: the same in the least disturbed rounds`, lowRatio, 0.5),
    ]),
)
const report = { bench: 'http', machine: host, schedule, ...run, floors, floorsMet: floors.every(({ met }) => met) }
console.log(values.json ? JSON.stringify(report, null, 2) : text())
if (!run.balanced) process.exitCode = 1

function tableText(title: string, { figures }: HttpTable): string {
  const rows = figures.map(({ variant, requestsPerSecond, overheadMicroseconds, ...cpu }) => [
    variant,
    short(requestsPerSecond),
    cpu.cpuMicrosecondsPerRequest.toFixed(1),
    cpu.cpuLowMicrosecondsPerRequest.toFixed(1),
    overheadMicroseconds.toFixed(1),
  ])
  return table([title, 'requests/s', 'processor µs/request', 'least disturbed', 'more than bare'], rows)
}

function text(): string {
  return [
    machineLine(host),
    tableText('on loopback', run.network),
    tableText('without a connection', run.direct),
    ...floors.map(({ name, value, limit, met }) => `${name}: ${value.toFixed(2)} (at most ${limit}) ${verdict(met)}`),
    `books: ${run.balanced ? 'balanced' : 'NOT BALANCED'}`,
  ].join('\n')
}
