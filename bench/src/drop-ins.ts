import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import { expressPair, flexiblePair } from './drop-ins/limiters.ts'
import { measurePair, type PairFigures } from './drop-ins/pair.ts'
import { isBalanced, totalsOf } from './measure/totals.ts'
import { atLeast } from './report/floor.ts'
import { short, verdict, whole } from './report/format.ts'
import { machine, machineLine } from './report/machine.ts'
import { table } from './report/table.ts'
import { withTemporaryFolder } from './sqlite/temporary-folder.ts'

/* `npm run bench:drop-ins`: each drop-in on SQLite against its original in memory, in one run. Exits with 1 when the books do not balance. */

const KEYS = Array.from({ length: 128 }, (_, at) => `10.0.${at >> 4}.${at & 15}`)
const PLENTY = 1_000_000_000_000
const FEW = 100
/** Ours is at least as fast. */
const FLOOR = 1
const TITLES = ['decisions/s', 'theirs, in memory', 'ours, on SQLite', 'ratio', 'floor', '']

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, turns: { type: 'string', default: '61' } },
})

const host = machine()
await withTemporaryFolder(async (folder) => {
  const path = join(folder, 'drop-ins.db')
  const vsa = open({ store: sqlite(path) })
  await vsa.ready()
  const pairs = [
    expressPair(vsa, 'admitted', PLENTY, PLENTY / 100),
    expressPair(vsa, 'denied', FEW, FEW),
    flexiblePair(vsa, 'admitted', PLENTY, PLENTY / 100),
    flexiblePair(vsa, 'denied', FEW, FEW),
  ]
  const figures: PairFigures[] = []
  for (const pair of pairs) figures.push(await measurePair(pair, KEYS, Number(values.turns)))
  const { exchanges } = vsa.stats()
  await vsa.close()
  const admitted = figures.reduce((sum, one) => sum + one.admitted, 0)
  const totals = await totalsOf(sqlite(path))
  const books = { ...totals, admitted, exchanges, balanced: isBalanced(totals, admitted) }
  const floors = figures.map(({ name, ratio }) => atLeast(name, ratio, FLOOR))
  const report = { bench: 'drop-ins', machine: host, figures, floors, books }
  console.log(values.json ? JSON.stringify(report, null, 2) : textOf(figures, books))
  if (!books.balanced) process.exitCode = 1
})

function textOf(
  figures: readonly PairFigures[],
  books: { readonly admitted: number; readonly used: number; readonly exchanges: number; readonly balanced: boolean },
): string {
  const rows = figures.map(({ name, peer, ours, ratio }) => [
    name,
    short(peer),
    short(ours),
    ratio.toFixed(2),
    FLOOR.toFixed(2),
    verdict(ratio >= FLOOR),
  ])
  const { admitted, used, exchanges, balanced } = books
  const state = balanced ? 'The books balance' : 'THE BOOKS DO NOT BALANCE'
  return [
    machineLine(host),
    '128 keys, 64 callers, medians of interleaved turns',
    table(TITLES, rows),
    `${state}: admitted ${whole(admitted)}, used ${whole(used)} after the close, ${whole(exchanges)} store calls`,
  ].join('\n')
}
