import type { StoreTotals } from '../store-totals.ts'
import { count, duration } from '../format.ts'
import type { Report } from '../report.ts'
import { columns, facts, table } from '../table.ts'
import type { FullSpeed } from './full-speed.ts'
import type { Kill } from './kill.ts'
import type { NetEffect } from './net-effect.ts'
import { VICTIM_BLOCK } from './victim.ts'

export interface DemoFindings {
  readonly net: NetEffect
  readonly speed: FullSpeed
  readonly kill: Kill
  /** Where the store was kept; null for a temporary one. */
  readonly storePath: string | null
}

/** The report of the demo. */
export function demoReport({ net, speed, kill, storePath }: DemoFindings): Report {
  const ok = net.isTrue && speed.isTrue && kill.isTrue
  const kept = storePath === null ? [] : [`Look at the store: vsa verify ${storePath}, vsa inspect ${storePath}`]
  return {
    ok,
    json: { ok, netEffect: net, fullSpeed: speed, kill, store: storePath },
    text: [netText(net), speedText(speed), killText(kill), ...kept].join('\n\n'),
  }
}

function netText(net: NetEffect): string {
  return [
    `(a) ${count(net.operations)} operations on one key, in ${duration(net.durationMs)}: admitted and refunded, they come to +${count(net.netUnits)}`,
    facts([
      ['records written', count(net.records), 'the net effect'],
      ['store calls', count(net.storeCalls), `a design that writes each operation makes ${count(net.operations)}`],
      ['lease records', count(net.leaseRecords), 'units set aside before they are admitted'],
      [
        'used, by the store',
        count(net.used),
        verdict(net.isTrue, 'as it should be', `WRONG: it should be ${count(net.netUnits)}`),
      ],
    ]),
  ].join('\n')
}

function speedText(speed: FullSpeed): string {
  return [
    `(b) ${speed.keys} keys at full speed, for ${duration(speed.durationMs)}`,
    facts([
      ['N, operations', count(speed.operations), `${count(speed.operationsPerSecond)} per second`],
      ['I, records written', count(speed.records), `and ${count(speed.leaseRecords)} lease records`],
      ['store calls', count(speed.storeCalls), `${count(speed.operationsPerStoreCall)} operations per call`],
      ['admitted', count(speed.admitted), 'the rest was refused while leases were still small'],
      [
        'used, by the store',
        count(speed.used),
        verdict(speed.isTrue, 'the same, to the unit', 'WRONG: not what was admitted'),
      ],
    ]),
  ].join('\n')
}

function killText(kill: Kill): string {
  const { admitted, atDeath, reopened } = kill
  const row = (when: string, { minted, used, burned, leased, pool }: StoreTotals): readonly string[] => [
    when,
    admittedText(admitted),
    ...[used, burned, leased, pool, minted].map(count),
  ]
  return [
    `(c) A process that admits at full speed, killed with SIGKILL after ${duration(kill.ranForMs)}`,
    indent(
      table(columns('', '>it had admitted', '>used', '>burned', '>leased', '>pool', '>minted'), [
        row('just killed', atDeath),
        row('opened again', reopened),
      ]),
    ),
    facts([
      ['it had admitted', admittedText(admitted), bracketNote(admitted)],
      ['used + burned', count(reopened.used + reopened.burned), COVERAGE[kill.coverage]],
    ]),
    verdict(
      kill.isBalanced,
      '  The books balance: minted = used + pool + burned + leased. What the process still held is burned, never given out twice.',
      '  THE BOOKS DO NOT BALANCE: minted is not used + pool + burned + leased.',
    ),
  ].join('\n')
}

const COVERAGE: Readonly<Record<Kill['coverage'], string>> = {
  covered: 'no less than admitted: the limit holds',
  undecided: 'inside the bracket: no less than was surely admitted',
  exceeded: 'WRONG: less than was admitted',
}

function admittedText({ atLeast, atMost }: Kill['admitted']): string {
  return atLeast === atMost ? count(atLeast) : `${count(atLeast)} to ${count(atMost)}`
}

function bracketNote({ atLeast, atMost }: Kill['admitted']): string {
  return atLeast === atMost
    ? 'its own tally, exact: it died between two blocks'
    : `its own tally, written before each block of ${count(VICTIM_BLOCK)}: it died inside one`
}

function verdict(isTrue: boolean, yes: string, no: string): string {
  return isTrue ? yes : no
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
