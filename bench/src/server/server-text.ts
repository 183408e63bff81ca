import type { Floor } from '../report/floor.ts'
import { short, verdict, whole } from '../report/format.ts'
import { machineLine, type Machine } from '../report/machine.ts'
import { table } from '../report/table.ts'
import type { ServerKind } from './bench-server.ts'
import { crowdTexts } from './crowd-text.ts'
import type { ServerParts } from './floors.ts'

export interface ServerReport extends ServerParts {
  readonly bench: ServerKind
  readonly machine: Machine
  readonly floors: readonly Floor[]
  readonly balanced: boolean
}

/** What is done by hand. */
const BY_HAND = {
  postgres: { flush: 'one upsert', calls: 'statements', durable: 'UPDATE ... RETURNING for each' },
  redis: { flush: 'pipelined HINCRBY', calls: 'scripts', durable: 'a script for each' },
} as const

export function serverText(report: ServerReport): string {
  const { bench, machine, flush = [], calls, drain, durable, floors, balanced } = report
  const byHand = BY_HAND[bench]
  const ms = (value: number): string => `${value.toFixed(2)} ms`
  const sections = [
    machineLine(machine),
    flush.length === 0
      ? ''
      : table(
          ['a flush of', 'fast path', 'general path', byHand.flush],
          flush.map((one) => [
            `${whole(one.budgets)} changed budgets`,
            ms(one.fastPathMs),
            ms(one.generalPathMs),
            ms(one.baselineMs),
          ]),
        ),
    calls === undefined
      ? ''
      : table(
          [`${calls.budgets} busy budgets, ${calls.seconds.toFixed(1)} s`, ''],
          [
            ['admitted', short(calls.admitted)],
            [`${byHand.calls} a second, counted by the server`, calls.callsPerSecond.toFixed(1)],
          ],
        ),
    drain === undefined
      ? ''
      : table(
          [`${drain.processes} processes, one budget of ${whole(drain.units)}`, ''],
          [
            ['admitted', whole(drain.admitted)],
            ['exchanges, all together', whole(drain.exchanges)],
            ['within', `${drain.seconds.toFixed(2)} s`],
          ],
        ),
    durable === undefined
      ? ''
      : table(
          [`durable, one budget, ${durable.callers} callers over ${durable.processes} processes`, ''],
          [
            [byHand.durable, `${short(durable.byHandPerSecond)}/s`],
            ['fast path', `${short(durable.fastPathPerSecond)}/s`],
            ['general path', `${short(durable.generalPathPerSecond)}/s`],
          ],
        ),
    ...crowdTexts(report, byHand.calls),
    table(
      ['floor', 'measured', 'promised', ''],
      floors.map(({ name, value, bound, limit, met }) => [name, short(value), `${bound} ${limit}`, verdict(met)]),
    ),
    balanced ? 'the books balance' : 'THE BOOKS DO NOT BALANCE',
  ]
  return sections.filter((text) => text !== '').join('\n\n')
}
