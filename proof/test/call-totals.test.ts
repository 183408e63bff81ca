import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { counterBounds, openUnits, Tallies } from '../src/chaos/tallies.ts'
import { TallyReader, TallyWriter, type Line, type Mark } from '../src/chaos/tally-file.ts'

function line(mark: Mark, name = '-', units = 0): Line {
  return { mark, name, units, period: 0, id: '-' }
}

function tallyPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-tally-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, '1.txt')
}

const adds = [line('N', 'c', 3), line('N', 'c', -5), line('N', 'c', 4)]

test('a counter of a child that closed is what was added', () => {
  expect(counterBounds([...adds, line('C')])).toEqual(new Map([['c', { least: 2, most: 2 }]]))
})

test('a counter of a child that was killed is the sum of some of its first adds', () => {
  expect(counterBounds(adds)).toEqual(new Map([['c', { least: -2, most: 3 }]]))
})

test('what was added before a flush that has resolved is in the counter, and what was added after its call may be', () => {
  const [first, second, third] = adds as [Line, Line, Line]
  const flushed = [first, line('B'), second, line('F'), third]
  expect(counterBounds(flushed)).toEqual(new Map([['c', { least: -2, most: 3 }]]))
  expect(counterBounds([first, second, line('B'), line('F'), third])).toEqual(new Map([['c', { least: -2, most: 2 }]]))
  expect(counterBounds([first, line('B'), second, third])).toEqual(new Map([['c', { least: -2, most: 3 }]]))
})

test('a line that a kill cut short counts for nothing, and what was asked for before it is open', () => {
  const path = tallyPath()
  const writer = new TallyWriter(path)
  writer.note('I', 'a', 2)
  writer.note('A', 'a', 2, 60_000)
  writer.note('I', 'a', 3)
  appendFileSync(path, 'A a 3')
  const tallies = new Tallies()
  tallies.add(path)
  expect(openUnits(tallies.sumOf('a'))).toBe(3)
  expect(tallies.periodsOf('a').get(60_000)?.admitted).toBe(2)
})

test('a reader gives each line once, when it is whole', () => {
  const path = tallyPath()
  writeFileSync(path, 'A a 1 0 -\nA a')
  const reader = new TallyReader(path)
  expect(reader.read()).toEqual([line('A', 'a', 1)])
  appendFileSync(path, ' 2 0 -\n')
  expect(reader.read()).toEqual([line('A', 'a', 2)])
  expect(reader.read()).toEqual([])
})
