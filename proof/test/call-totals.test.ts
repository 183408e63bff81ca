import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CallLogReader, CallLogWriter, type CallRecord, type RecordKind } from '../src/chaos/call-log.ts'
import { CallTotals, counterBounds, unansweredUnits } from '../src/chaos/call-totals.ts'

function record(kind: RecordKind, name = '-', units = 0): CallRecord {
  return { kind, name, units, period: 0, id: '-' }
}

function logPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vsa-call-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, '1.txt')
}

const adds = [record('adding', 'c', 3), record('adding', 'c', -5), record('adding', 'c', 4)]

test('after a close, a counter is the sum of all adds', () => {
  expect(counterBounds([...adds, record('closed')])).toEqual(new Map([['c', { min: 2, max: 2 }]]))
})

test('after a kill, a counter is the sum of the first n adds', () => {
  expect(counterBounds(adds)).toEqual(new Map([['c', { min: -2, max: 3 }]]))
})

test('adds before a flush that resolved are in the counter, and later adds may be', () => {
  const [first, second, third] = adds as [CallRecord, CallRecord, CallRecord]
  const flushed = [first, record('flushing'), second, record('flushed'), third]
  expect(counterBounds(flushed)).toEqual(new Map([['c', { min: -2, max: 3 }]]))
  expect(counterBounds([first, second, record('flushing'), record('flushed'), third])).toEqual(
    new Map([['c', { min: -2, max: 2 }]]),
  )
  expect(counterBounds([first, record('flushing'), second, third])).toEqual(new Map([['c', { min: -2, max: 3 }]]))
})

test('a line truncated by a kill is ignored, and its request is unanswered', () => {
  const path = logPath()
  const writer = new CallLogWriter(path)
  writer.write('requested', 'a', 2)
  writer.write('admitted', 'a', 2, 60_000)
  writer.write('requested', 'a', 3)
  appendFileSync(path, 'admitted a 3')
  const totals = new CallTotals()
  totals.add(path)
  expect(unansweredUnits(totals.sumOf('a'))).toBe(3)
  expect(totals.periodsOf('a').get(60_000)?.admitted).toBe(2)
})

test('a reader returns each line once, when it is complete', () => {
  const path = logPath()
  writeFileSync(path, 'admitted a 1 0 -\nadmitted a')
  const reader = new CallLogReader(path)
  expect(reader.read()).toEqual([record('admitted', 'a', 1)])
  appendFileSync(path, ' 2 0 -\n')
  expect(reader.read()).toEqual([record('admitted', 'a', 2)])
  expect(reader.read()).toEqual([])
})
