import { count, duration } from '../format.ts'
import type { Paint } from '../paint.ts'
import type { Report } from '../report.ts'
import { shellWord } from '../safe-text.ts'
import type { StoreTotals } from '../store-totals.ts'
import { columns, facts, table } from '../table.ts'
import type { FullSpeed } from './full-speed.ts'
import type { Kill } from './kill.ts'
import type { NetEffect } from './net-effect.ts'
import { VICTIM_BLOCK } from './victim.ts'

export interface DemoFindings {
  readonly net: NetEffect
  readonly speed: FullSpeed
  readonly kill: Kill
  /** The name of the place where the store was kept; null for a temporary one. */
  readonly store: string | null
}

/** The report of the demo. Its text fits into 80 columns, except for the path of a kept store. */
export function demoReport({ net, speed, kill, store }: DemoFindings, paint: Paint): Report {
  const ok = net.isTrue && speed.isTrue && kill.isTrue
  const sections = [netText(net, paint), speedText(speed, paint), killText(kill, paint), keptText(store)]
  return {
    ok,
    json: { ok, netEffect: net, fullSpeed: speed, kill, store },
    text: sections.filter((text) => text !== '').join('\n\n'),
  }
}

function keptText(store: string | null): string {
  if (store === null) return ''
  const word = shellWord(store)
  return ['Look at the store:', `  vsa verify ${word}`, `  vsa inspect ${word}`].join('\n')
}

function netText(net: NetEffect, paint: Paint): string {
  return [
    paint.strong(`(a) ${count(net.operations)} operations on one key, in ${duration(net.durationMs)}`),
    `Admissions and refunds that come to +${count(net.netUnits)}:`,
    facts([
      ['records written', count(net.records), 'the net effect'],
      ['store calls', count(net.storeCalls), `one per operation would be ${count(net.operations)}`],
      ['lease records', count(net.leaseRecords), 'units set aside before they are admitted'],
      [
        'used, by the store',
        count(net.used),
        verdict(paint, net.isTrue, 'as it should be', `WRONG: it should be ${count(net.netUnits)}`),
      ],
    ]),
  ].join('\n')
}

function speedText(speed: FullSpeed, paint: Paint): string {
  return [
    paint.strong(`(b) ${speed.keys} keys at full speed, for ${duration(speed.durationMs)}`),
    facts([
      ['N, operations', count(speed.operations), `${count(speed.operationsPerSecond)} per second`],
      ['I, records written', count(speed.records), `and ${count(speed.leaseRecords)} lease records`],
      ['store calls', count(speed.storeCalls), `${count(speed.operationsPerStoreCall)} operations per call`],
      ['admitted', count(speed.admitted), repeatedText(speed)],
      [
        'used, by the store',
        count(speed.used),
        verdict(paint, speed.isTrue, 'the same, to the unit', 'WRONG: not what was admitted'),
      ],
    ]),
  ].join('\n')
}

/** What memory did not cover was asked of the store, and counts twice. */
function repeatedText({ operations, admitted }: FullSpeed): string {
  return operations === admitted ? 'all of them' : `${count(operations - admitted)} asked twice, as leases grew`
}

function killText(kill: Kill, paint: Paint): string {
  const { admitted, atDeath, reopened } = kill
  return [
    paint.strong(`(c) A process at full speed, killed with SIGKILL after ${duration(kill.ranForMs)}`),
    table(
      columns('  the store', '>just killed', '>opened again'),
      UNITS.map((name) => [`  ${name}`, count(atDeath[name]), count(reopened[name])]),
    ),
    admittedText(admitted),
    `  Used and burned are ${count(reopened.used + reopened.burned)}: ${coverageText(kill, paint)}.`,
    verdict(
      paint,
      kill.isBalanced,
      '  The books balance: minted = used + pool + burned + leased.',
      '  THE BOOKS DO NOT BALANCE: minted is not used + pool + burned + leased.',
    ),
    '  What the process still held is burned: it is never given out twice.',
  ].join('\n')
}

const UNITS = ['used', 'burned', 'leased', 'pool', 'minted'] as const satisfies readonly (keyof StoreTotals)[]

const COVERAGE: Readonly<Record<Kill['coverage'], string>> = {
  covered: 'no less than admitted, so the limit holds',
  undecided: 'no less than was surely admitted',
  exceeded: 'WRONG: less than was admitted',
}

function coverageText({ coverage }: Kill, paint: Paint): string {
  return verdict(paint, coverage !== 'exceeded', COVERAGE[coverage], COVERAGE[coverage])
}

/** By its own tally, which is written before each block. */
function admittedText({ atLeast, atMost }: Kill['admitted']): string {
  if (atLeast === atMost) return `  It had admitted ${count(atLeast)}: exact, it died between two blocks.`
  const range = `${count(atLeast)} to ${count(atMost)}`
  return `  It had admitted ${range}: it died in a block of ${count(VICTIM_BLOCK)}.`
}

function verdict(paint: Paint, isTrue: boolean, yes: string, no: string): string {
  return isTrue ? paint.good(yes) : paint.bad(no)
}
