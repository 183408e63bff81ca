import type { Floor } from '../report/floor.ts'
import { short, verdict, whole } from '../report/format.ts'
import { machineLine, type Machine } from '../report/machine.ts'
import { table } from '../report/table.ts'
import type { Crowd } from './crowd.ts'
import type { Durable } from './durable.ts'
import type { Flush } from './flush.ts'
import type { FullSpeed } from './full-speed.ts'
import type { Memory } from './memory.ts'
import type { OpenReservations } from './open-reservations.ts'
import type { Reservations } from './reservations.ts'

/** The parts that were run; the others are absent. */
export interface SqliteReport {
  readonly machine: Machine
  readonly fullSpeed?: FullSpeed
  readonly durable?: Durable
  readonly flush?: Flush
  readonly crowd?: Crowd
  readonly memory?: Memory
  readonly reservations?: Reservations
  readonly openReservations?: OpenReservations
  readonly floors: readonly Floor[]
}

export function sqliteText(report: SqliteReport): string {
  const { machine, fullSpeed, durable, flush, crowd, memory, reservations, openReservations, floors } = report
  const parts = [machineLine(machine)]
  if (fullSpeed !== undefined) parts.push(fullSpeedText(fullSpeed))
  if (durable !== undefined) parts.push(durableText(durable))
  if (flush !== undefined) parts.push(flushText(flush))
  if (crowd !== undefined) parts.push(crowdText(crowd))
  if (memory !== undefined) parts.push(memoryText(memory))
  if (reservations !== undefined) parts.push(reservationsText(reservations))
  if (openReservations !== undefined) parts.push(openReservationsText(openReservations))
  parts.push(floorsText(floors))
  return parts.join('\n\n')
}

function fullSpeedText(run: FullSpeed): string {
  return lines(`Full speed, ${run.keys} keys, stretches of ${run.seconds} s`, [
    ['decisions/s', short(run.decisionsPerSecond)],
    ['the same loop without VSA', short(run.bareDecisionsPerSecond)],
    ['exchanges/s', run.exchangesPerSecond.toFixed(1)],
    ['decisions per exchange', short(run.decisionsPerExchange)],
    [
      'records, rows changed, lease records',
      `${whole(run.records)}, ${whole(run.changedRows)}, ${whole(run.leaseRecords)}`,
    ],
    ['admitted by tryAdmit alone', `${(100 * run.admittedShare).toFixed(3)} %`],
    ['event-loop delay p99, without VSA', `${run.delayP99Ms.toFixed(2)} ms, ${run.bareDelayP99Ms.toFixed(2)} ms`],
    booksLine(run),
  ])
}

function durableText(run: Durable): string {
  const callers = run.callers.flatMap((one) => {
    const { callers, admissionsPerSecond, admissionsPerExchange, awaitsPerSecond, ratio } = one
    const figures = `${short(admissionsPerSecond)}/s, ${ratio.toFixed(1)} times, ${short(admissionsPerExchange)} per exchange`
    return [
      [`${whole(callers)} callers`, figures],
      ['the same without VSA, resolved by hand', `${short(awaitsPerSecond)}/s`],
    ] as const
  })
  return lines(`Durable admissions on one budget, stretches of ${run.seconds} s`, [
    ['one UPDATE for each, by hand', `${short(run.handWrittenPerSecond)}/s`],
    ...callers,
    booksLine(run),
  ])
}

function flushText(run: Flush): string {
  return lines(`A flush of ${whole(run.budgets)} changed budgets, medians of ${run.rounds} rounds`, [
    ['flush, bare loop of prepared UPDATEs', `${run.flushMs.toFixed(1)} ms, ${run.bareMs.toFixed(1)} ms`],
    ['times the bare loop', run.ratio.toFixed(2)],
    ['records, lease records', `${whole(run.records)}, ${whole(run.leaseRecords)}`],
    ['stats() before it', `${run.statsMs.toFixed(2)} ms`],
    booksLine(run),
  ])
}

function crowdText(run: Crowd): string {
  return lines(`${whole(run.keys)} distinct cold keys, each asked for once, all together`, [
    ['admitted, refused early, timed out', [run.admitted, run.refusedEarly, run.timedOut].map(whole).join(', ')],
    ['within', `${run.seconds.toFixed(1)} s`],
    ['longest turn of the event loop', `${run.longestTurnMs.toFixed(0)} ms`],
    ['touched again, then closed within', `${whole(run.touched)}, ${run.closeSeconds.toFixed(1)} s`],
    booksLine({ ...run, admitted: run.admitted + run.touched }),
  ])
}

function memoryText(run: Memory): string {
  return lines(`Memory, ${whole(run.budgets)} budgets, keys of ${run.keyLength} characters`, [
    ['bytes a budget, idle', run.bytesPerIdleBudget.toFixed(0)],
    ['bytes a budget, with a lease', run.bytesPerBudgetInUse.toFixed(0)],
    [
      'loaded, idle again, closed',
      [run.loadSeconds, run.idleSeconds, run.closeSeconds].map((s) => `${s.toFixed(1)} s`).join(', '),
    ],
    ['unsent when the close began', whole(run.unsent)],
    booksLine(run),
  ])
}

function reservationsText(run: Reservations): string {
  return lines(`Reservations on one budget, ${whole(run.callers)} callers, stretches of ${run.seconds} s`, [
    ['durable admissions', `${short(run.admissionsPerSecond)}/s: equal ones share a record`],
    ['admissions with an id', `${short(run.withIdPerSecond)}/s, ${run.withIdRatio.toFixed(3)} of them`],
    ['reserve with an id, and settle', `${short(run.pairsPerSecond)}/s, ${run.pairRatio.toFixed(3)} of them`],
    [
      'a bare loop of INSERT and UPDATE of such rows',
      `${short(run.barePairsPerSecond)}/s: reserve and settle is ${run.pairBareRatio.toFixed(2)} of it`,
    ],
    booksLine(run),
  ])
}

function openReservationsText(run: OpenReservations): string {
  return lines(`${whole(run.reservations)} open reservations of ${whole(run.budgets)} budgets`, [
    ['made', `${short(run.madePerSecond)}/s`],
    [
      'bytes of heap each, no handle kept, each handle kept',
      `${run.bytesEach.toFixed(0)}, ${run.bytesEachKept.toFixed(0)}`,
    ],
    ['bytes of the file each', run.fileBytesEach.toFixed(0)],
    ['ended, all due at once', `${short(run.endedPerSecond)}/s, in ${whole(run.upkeepCalls)} calls of upkeep`],
    ['call of upkeep p99, longest', `${run.p99UpkeepMs.toFixed(1)} ms, ${run.longestUpkeepMs.toFixed(1)} ms`],
    [
      'without waits for a processor, p50, p99, longest',
      [run.p50OwnMs, run.p99OwnMs, run.longestOwnMs].map((ms) => `${ms.toFixed(1)} ms`).join(', '),
    ],
    [run.balanced ? 'the books balance' : 'THE BOOKS DO NOT BALANCE', `${whole(run.left)} units left`],
  ])
}

function booksLine({
  admitted,
  used,
  balanced,
}: {
  admitted: number
  used: number
  balanced: boolean
}): readonly [string, string] {
  return [
    balanced ? 'the books balance' : 'THE BOOKS DO NOT BALANCE',
    `admitted ${whole(admitted)}, used ${whole(used)}`,
  ]
}

function floorsText(floors: readonly Floor[]): string {
  const rows = floors.map(({ name, value, bound, limit, met }) => [
    name,
    short(value),
    `${bound} ${short(limit)}`,
    verdict(met),
  ])
  return table(['floor', 'measured', 'promised', ''], rows)
}

function lines(title: string, facts: readonly (readonly [string, string])[]): string {
  return `${title}\n${table(['', ''], facts).trimStart()}`
}
