import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SESSION_TABLE, type SessionEvent, type SessionState } from '../../src/engine/session/transition-table.ts'

const spec = readFileSync(join(import.meta.dirname, '../../../../docs/spec.md'), 'utf8')
const section = /(?<=<!-- session -->\n)[^]*(?=<!-- \/session -->)/.exec(spec)?.[0] ?? ''
const lines = section.split('\n').filter((line) => line.startsWith('|'))
const [head = [], , ...rows] = lines.map((line) => line.split('|').slice(1, -1).map(plain))
const states = head.slice(1) as SessionState[]
const cells = rows.flatMap(([event = '', ...row]) =>
  states.map((state, at) => ({ state, event: event as SessionEvent, cell: row[at] ?? '' })),
)

function plain(cell: string): string {
  return cell.replaceAll('`', '').trim()
}

describe('the transition table is the one in the specification', () => {
  test('both have every state and every event', () => {
    expect(Object.keys(SESSION_TABLE)).toEqual(states)
    for (const state of states) {
      const events = rows.map(([event]) => event)
      expect(new Set(Object.keys(SESSION_TABLE[state]))).toEqual(new Set(events))
    }
    expect(cells).toHaveLength(50)
  })

  test.each(cells)('O2 O5: $state meets $event: $cell', ({ state, event, cell }) => {
    const [action, next = state] = cell.split(', ')
    const step = SESSION_TABLE[state][event]
    expect(step.action).toBe(action)
    if (action !== 'impossible') expect(step.next).toBe(next)
  })

  test('O13: an ended session stays ended, and an answer counts only while a batch is in flight', () => {
    for (const { state, event, cell } of cells) {
      if (state === 'ended') expect(['ignore', 'impossible']).toContain(cell)
      if (event === 'applied') expect(cell.startsWith('settle')).toBe(state === 'sending' || state === 'resending')
    }
  })
})
