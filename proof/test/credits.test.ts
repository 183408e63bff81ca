import { expect, test } from 'vitest'
import { CREDIT_CONFIGURATIONS } from '../src/credits/bounds.ts'
import type { Bug } from '../src/credits/bugs.ts'
import { huntCredits } from '../src/credits/canaries.ts'
import { walkCredits } from '../src/credits/random.ts'
import { searchCredits } from '../src/credits/search.ts'

/** For each configuration. `npm run model` visits all. */
const STATES_MAX = 400

/** Protections whose absence is found within a few hundred states: of I1, I2, V1, V3, R6 and T1. */
const SAMPLE: readonly Bug[] = [
  'no id check',
  'rows of drawn sources alone',
  'overage booked at a repeat',
  'refund of an open one',
  'returned in order',
  'forgotten by list',
  'intent deleted before it is applied',
]

test.each(Object.entries(CREDIT_CONFIGURATIONS))(
  'durable credits: no law breaks in the first states of %s',
  (_, bounds) => {
    const { found, states, exhausted } = searchCredits(bounds, null, STATES_MAX)
    expect(found).toBeNull()
    expect(exhausted || states >= STATES_MAX).toBe(true)
  },
)

test('durable credits: no law breaks in random walks with larger numbers', () => {
  expect(walkCredits(1, 20, null).found).toBeNull()
})

test.each(SAMPLE)('durable credits: without its protection a law breaks: %s', (bug) => {
  const { isCaught, search } = huntCredits(bug, 2_000)
  expect([isCaught, search.found]).toEqual([true, expect.objectContaining({ law: expect.any(String) as string })])
})
