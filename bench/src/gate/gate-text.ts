import { orDash, short, verdict, whole } from '../report/format.ts'
import { machineLine, type Machine } from '../report/machine.ts'
import { table } from '../report/table.ts'
import type { GateBooks, GateFigure, GateRun } from './gate-run.ts'

const TITLES = ['loop', 'decisions/s', 'p10', 'p90', 'ratio', 'floor', '', 'bytes/op']

export function gateText(host: Machine, runs: readonly GateRun[]): string {
  return [machineLine(host), ...runs.map(runText)].join('\n\n')
}

function runText({ keys, figures, books }: GateRun): string {
  return [
    `${whole(keys)} keys, medians of interleaved turns`,
    table(TITLES, figures.map(rowOf)),
    booksText(books),
  ].join('\n')
}

function rowOf({
  name,
  base,
  operationsPerSecond,
  ratio,
  floor,
  met,
  bytesPerOperation,
}: GateFigure): readonly string[] {
  const { median, low, high } = operationsPerSecond
  const indented = base === null ? name : `  ${name}`
  const decimals = (value: number): string => value.toFixed(2)
  return [
    indented,
    short(median),
    short(low),
    short(high),
    orDash(ratio, decimals),
    orDash(floor, decimals),
    verdict(met),
    orDash(bytesPerOperation, decimals),
  ]
}

function booksText({ counted, inMemory, used, denied, missing, balanced }: GateBooks): string {
  const figures = `counted ${whole(counted)}, in memory ${whole(inMemory)}, used ${whole(used)} after the close, denied ${denied}, missing ${missing}`
  return `${balanced ? 'The books balance' : 'THE BOOKS DO NOT BALANCE'}: ${figures}`
}
