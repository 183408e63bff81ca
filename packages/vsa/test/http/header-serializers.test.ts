import { array, assert, constantFrom, integer, option, property, record, string, stringMatching } from 'fast-check'
import { type InnerList, type Item, parseList } from 'structured-headers'
import { expect, test } from 'vitest'
import { headersWriter } from '../../src/http/header-modes.ts'
import type { PartitionKey } from '../../src/http/partition-key.ts'
import type { PolicyFigures } from '../../src/http/policy-figures.ts'
import { retryAfterSeconds, secondsUntil } from '../../src/http/retry-after.ts'

const UNITS_MAX = Number.MAX_SAFE_INTEGER
const INTEGER_MAX = 999_999_999_999_999

const figures = record<PolicyFigures>({
  name: stringMatching(/^[\x20-\x7e]{1,64}$/),
  key: string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  unit: option(stringMatching(/^[\x20-\x7e]{1,64}$/), { nil: undefined }),
  limit: integer({ min: 0, max: UNITS_MAX }),
  remaining: integer({ min: 0, max: UNITS_MAX }),
  windowSeconds: option(integer({ min: 1, max: 4e9 }), { nil: undefined }),
  resetSeconds: option(integer({ min: 0, max: 4e9 }), { nil: undefined }),
  resetAtMs: option(integer({ min: 0, max: 4e15 }), { nil: undefined }),
})

const settings = { legacyReset: 'epoch', partitionKey: 'hash' } as const

test('draft-8 and draft-11: what is written is read again by a parser of structured fields, whatever the names, keys and limits', () => {
  const modes = constantFrom('draft-8', 'draft-11')
  assert(
    property(
      modes,
      constantFrom<PartitionKey>('hash', 'id', false),
      array(figures, { minLength: 1, maxLength: 4 }),
      (headers, partitionKey, shown) => {
        const [limit, policy] = headersWriter({ ...settings, headers, partitionKey })(shown)
        const limits = parseList(limit?.value ?? '').map(read)
        const policies = parseList(policy?.value ?? '').map(read)
        for (const [at, one] of shown.entries()) {
          const [name, { r, t }] = limits[at] ?? ['', {}]
          expect([name, r, t]).toEqual([one.name, Math.min(one.remaining, INTEGER_MAX), one.resetSeconds])
          const [policyName, { q, w, qu, pk }] = policies[at] ?? ['', {}]
          expect([policyName, q, w, qu]).toEqual([
            one.name,
            Math.min(one.limit, INTEGER_MAX),
            one.windowSeconds,
            one.unit,
          ])
          const id = one.key.slice(one.key.indexOf(':') + 1)
          if (partitionKey === 'id') expect(pk instanceof ArrayBuffer && Buffer.from(pk).toString()).toBe(id)
          if (partitionKey === 'hash')
            expect(pk instanceof ArrayBuffer && Buffer.from(pk).toString()).toMatch(/^[0-9a-f]{12}$/)
          if (partitionKey === false) expect(pk).toBeUndefined()
        }
        expect([limits.length, policies.length]).toEqual([shown.length, shown.length])
      },
    ),
    { numRuns: 200 },
  )
})

function read(item: Item | InnerList): readonly [unknown, Readonly<Record<string, unknown>>] {
  return [item[0], Object.fromEntries(item[1])]
}

test('draft-7, draft-6 and legacy: only characters of a header, and the tightest budget of several', () => {
  assert(
    property(
      constantFrom('draft-7', 'draft-6', 'legacy'),
      array(figures, { minLength: 1, maxLength: 4 }),
      (headers, shown) => {
        const written = headersWriter({ ...settings, headers })(shown)
        for (const { name, value } of written) expect(`${name}: ${value}`).toMatch(/^[A-Za-z-]+: [0-9a-z=;, ]+$/)
        const left = shown.map((one) => (one.limit === 0 ? 0 : one.remaining / one.limit))
        const tightest = shown[left.indexOf(Math.min(...left))]
        const text = written.map(({ value }) => value).join(' ')
        expect(text).toContain(String(tightest?.remaining))
      },
    ),
    { numRuns: 200 },
  )
})

const WINDOW: PolicyFigures = {
  ...{ name: 'burst', key: 'calls:tenant-7', unit: undefined },
  ...{ limit: 100, remaining: 12, windowSeconds: 60, resetSeconds: 30, resetAtMs: 1_735_689_659_001 },
}
const INITIAL: PolicyFigures = {
  ...{ name: 'seats', key: 'concert-42', unit: undefined },
  ...{ limit: 500, remaining: 499, windowSeconds: undefined, resetSeconds: undefined, resetAtMs: undefined },
}

test('draft-11, as the draft has it: the id, and what a unit is', () => {
  const write = headersWriter({ ...settings, headers: 'draft-11', partitionKey: 'id' })
  expect(write([{ ...WINDOW, unit: 'requests' }])).toEqual([
    { name: 'RateLimit', value: '"burst";r=12;t=30', isList: true },
    { name: 'RateLimit-Policy', value: '"burst";q=100;w=60;qu="requests";pk=:dGVuYW50LTc=:', isList: true },
  ])
})

test.each([
  ['draft-11', ['"seats";r=499', '"seats";q=500']],
  ['draft-8', ['"seats"; r=499', '"seats"; q=500']],
  ['draft-7', ['500', 'limit=500, remaining=499']],
  ['draft-6', ['500', '500', '499']],
  ['legacy', ['500', '499']],
] as const)('%s of a budget without windows has no w, t or reset', (headers, values) => {
  const written = headersWriter({ ...settings, headers, partitionKey: false })([INITIAL])
  expect(written.map(({ value }) => value)).toEqual(values)
})

test.each([
  ['epoch', '1735689660'],
  ['delta', '30'],
] as const)('legacyReset %s', (legacyReset, expected) => {
  const written = headersWriter({ ...settings, headers: 'legacy', legacyReset })([WINDOW])
  expect(written.at(-1)).toEqual({ name: 'X-RateLimit-Reset', value: expected, isList: false })
})

test('several budgets: draft-7 shows the tightest one, and all policies', () => {
  expect(headersWriter({ ...settings, headers: 'draft-7' })([INITIAL, WINDOW]).map(({ value }) => value)).toEqual([
    '500, 100;w=60',
    'limit=100, remaining=12, reset=30',
  ])
})

test('a changed limit is written anew', () => {
  const write = headersWriter({ ...settings, headers: 'draft-11', partitionKey: false })
  const policyOf = (limit: number): string | undefined => write([{ ...WINDOW, limit }])[1]?.value
  expect([policyOf(100), policyOf(200)]).toEqual(['"burst";q=100;w=60', '"burst";q=200;w=60'])
})

test('Retry-After: whole seconds, at least 1, never before the time, less than a second after it, and never before t', () => {
  const time = integer({ min: 0, max: 4e12 })
  assert(
    property(integer({ min: 1, max: 4e11 }), time, time, (retryAfterMs, resetAtMs, nowMs) => {
      const t = secondsUntil(resetAtMs, nowMs)
      const seconds = retryAfterSeconds(retryAfterMs, t)
      expect(Number.isInteger(seconds) && seconds >= 1 && seconds >= t).toBe(true)
      expect(seconds * 1_000).toBeGreaterThanOrEqual(retryAfterMs)
      expect(retryAfterSeconds(retryAfterMs) * 1_000).toBeLessThan(retryAfterMs + 1_000)
      expect(t === 0 || (t - 1) * 1_000 < resetAtMs - nowMs).toBe(true)
    }),
  )
})
