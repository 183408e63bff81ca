import { expect, test } from 'vitest'
import { isLost, wasEarly } from '../../src/engine/exchange/row-absence.ts'

const WINDOW = { start: 1_000, end: 2_000 }

test.each([
  ['known, in its period', true, 1_500, { lost: true, early: false }],
  ['known, before its period', true, 500, { lost: true, early: false }],
  ['known, after its period', true, 2_000, { lost: false, early: false }],
  ['new, before its period', false, 999, { lost: false, early: true }],
  ['new, in its period', false, 1_000, { lost: false, early: false }],
  ['new, after its period', false, 2_000, { lost: false, early: false }],
])('S4 O11: a row that the store does not have, %s', (_, isKnown, time, { lost, early }) => {
  const row = { isKnown, window: WINDOW }
  expect([isLost(row, time), wasEarly(row, time)]).toEqual([lost, early])
})
