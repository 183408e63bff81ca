import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { open } from 'vsa'
import { sqlite } from 'vsa/sqlite'
import type { CrewEnd } from '../src/chaos/crew.ts'
import { Inquest } from '../src/chaos/inquest.ts'
import { closingPlan } from '../src/chaos/plans.ts'
import { SUBJECTS, type Subject } from '../src/chaos/subjects.ts'
import { Tallies } from '../src/chaos/tallies.ts'

const END: CrewEnd = {
  started: 1,
  kills: 0,
  stops: 0,
  closes: 1,
  killedInClose: 0,
  clockJumps: 0,
  jumpsBack: 0,
  aheadMostMs: 0,
  behindMostMs: 0,
  mintIds: 1,
  complaints: [],
}
const scarce = SUBJECTS['scarce'] as Subject
const ticks = SUBJECTS['ticks'] as Subject

/** What an inquest finds of one owner that admitted 5 units, minted once, counted to 7 and closed, when its tally reads `told`. */
async function faultsWhen(told: (period: number) => readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-inquest-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'books.db')
  const vsa = open({ store: sqlite(file, { thread: false }) })
  await vsa.budget('scarce', scarce.policy).admit(5)
  await vsa.budget('scarce', scarce.policy).mint(scarce.mintUnits, { id: 'm-0' })
  const { period } = await vsa.budget('ticks', ticks.policy).decide(2)
  vsa.counter('likes').add(7)
  await vsa.close()
  const tally = join(folder, '1.txt')
  writeFileSync(
    tally,
    told(period)
      .map((line) => `${line}\n`)
      .join(''),
  )
  const tallies = new Tallies()
  tallies.add(tally)
  const plan = { ...closingPlan(1, 1), subjects: { scarce, ticks } }
  return (await new Inquest(plan, file, END, tallies).hold()).faults
}

const truth = (period: number): string[] => [
  'I scarce 5 0 -',
  'A scarce 5 0 -',
  'M scarce 60 0 m-0',
  'm scarce 1 0 m-0',
  'I ticks 2 0 -',
  `A ticks 2 ${period} -`,
  'N likes 7 0 -',
  'C - 0 0 -',
]

test('an inquest finds nothing where everything is as it was told', async () => {
  expect(await faultsWhen(truth)).toEqual([])
})

test.each<readonly [string, string, (period: number) => readonly string[]]>([
  [
    'one unit was told of that the books do not know',
    'L1: the books do not cover',
    (period) => [...truth(period), 'I scarce 1 0 -', 'A scarce 1 0 -'],
  ],
  ['one unit was settled that nobody asked for', 'L3: more was settled', (period) => truth(period).slice(2)],
  [
    'units were admitted in a period without a row',
    'L1: ticks: units were admitted in 7',
    (period) => [...truth(period), 'I ticks 1 0 -', 'A ticks 1 7 -'],
  ],
  [
    'more than the limit was told of in one period',
    'L1: ticks: 202 units of 200',
    (period) => [...truth(period), 'I ticks 200 0 -', `A ticks 200 ${period} -`],
  ],
  ['a mint was first twice', 'L3: scarce: 2 processes', (period) => [...truth(period), 'm scarce 1 0 m-0']],
  ['a counter is not what was added', 'L3: counter likes', (period) => ['N likes 1 0 -', ...truth(period)]],
  ['a child lost a row', 'event: children noted row_lost', (period) => [...truth(period), 'E row_lost 0 0 -']],
])('an inquest can fail: %s', async (_, fault, told) => {
  const faults = await faultsWhen(told)
  expect(faults.filter((found) => found.startsWith(fault))).toHaveLength(1)
})
