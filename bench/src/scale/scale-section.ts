import { markdownTable } from '../page/markdown-table.ts'
import { figureMarkdown, type Figure } from '../page/plots/figure.ts'
import { machineLine } from '../report/machine.ts'
import type { LoadCost } from './offered-load.ts'
import type { Scale } from './scale-run.ts'

const COMMAND = 'npm run bench:scale'

/** The section of docs/benchmarks.md. */
export function scaleSection(scale: Scale, figures: readonly Figure[]): string {
  return [
    `\`${COMMAND}\` wrote this section, its plots and [scale.json](../bench/results/scale.json). The clock is the one of \`vsa/testing\`, and the store is in memory: so all figures but those in ns are exact, and the same on every machine. The ns are processor time, on ${machineLine(scale.gate.machine)}. \`-- --part keys\` measures one part anew.`,
    ...figures.flatMap((figure) => [
      `${figure.alt} \`${commandOf(figure.name)}\`:`,
      figureMarkdown(figure),
      `The figures of \`${commandOf(figure.name)}\`:`,
      tableOf(scale, figure.name),
    ]),
    '### Under-use',
    underUseText(scale),
  ].join('\n\n')
}

/** Measures the parts of a figure, and draws all anew. */
function commandOf(name: string): string {
  const parts: Readonly<Record<string, readonly string[]>> = {
    'scale-operations': ['gate', 'operations'],
    'scale-keys': ['keys', 'keysDurable'],
    'scale-owners': ['owners'],
    'scale-flush-interval': ['flushInterval'],
    'scale-at-risk': ['atRisk'],
  }
  return `${COMMAND} -- ${(parts[name] ?? []).map((part) => `--part ${part}`).join(' ')}`
}

function tableOf(scale: Scale, name: string): string {
  switch (name) {
    case 'scale-operations':
      return loadTable('operations', scale.operations, (one) => one.operations)
    case 'scale-keys':
      return loadTable('keys', [...scale.keys, ...scale.keysDurable], (one) => one.keys)
    case 'scale-owners':
      return loadTable('owners', scale.owners, (one) => one.owners)
    case 'scale-flush-interval':
      return loadTable('ms between flushes', scale.flushInterval, (one) => one.flushIntervalMs)
    case 'scale-at-risk':
      return markdownTable(
        ['atRisk', 'crashes', 'burned, at most', 'never admitted, mean', 'store calls per 1,000 operations'],
        scale.atRisk.map((one) => [
          ...[one.atRisk, one.crashes, one.burnedMost, Math.round(one.unusedMean)].map(whole),
          one.callsPerThousand.toFixed(2),
        ]),
      )
    default:
      throw new RangeError(`no table for ${name}`)
  }
}

function loadTable(size: string, loads: readonly LoadCost[], of: (one: LoadCost) => number): string {
  return markdownTable(
    [size, 'admissions', 'operations', 'store calls', 'records', 'lease records', 'rows per operation'],
    loads.map((one) => [
      whole(of(one)),
      one.strength,
      ...[one.operations, one.exchanges, one.records, one.leaseRecords].map(whole),
      String(Number(((one.records + one.leaseRecords) / one.operations).toPrecision(3))),
    ]),
  )
}

function underUseText({ underUse }: Scale): string {
  const worst = Math.max(...underUse.map((one) => one.strandedMost))
  const longest = Math.max(...underUse.map((one) => one.strandedMs))
  const early = underUse.reduce((sum, one) => sum + one.deniedEarly, 0)
  return [
    `Owners spend one stock of 10,000 units at 2,000 requests/s. One of them gets 90 % of the requests: always the same one (one-hot), or another one every 500 ms (moving). What the others hold is not there for it when the pool is empty, until they give it back. Seen here: at most ${whole(worst)} units, for at most ${longest} ms; ${early} requests denied while a unit was left; and in the end none was left. \`${COMMAND} -- --part underUse\`:`,
    markdownTable(
      [
        'owners',
        'atRisk',
        'demand',
        'units held elsewhere, at most',
        'until all were admitted, ms',
        'requests that waited',
        'median wait, ms',
        'longest wait, ms',
      ],
      underUse.map((one) => [
        ...[whole(one.owners), whole(one.atRisk), one.skew],
        ...[one.strandedMost, one.strandedMs, one.waited, one.waitP50Ms, one.waitMostMs].map(whole),
      ]),
    ),
  ].join('\n\n')
}

function whole(value: number): string {
  return value.toLocaleString('en-US')
}
