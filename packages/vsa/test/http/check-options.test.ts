import { expect, test } from 'vitest'
import { checkOptions } from '../../src/http/check-options.ts'
import type { LimitOptions } from '../../src/http/limit-options.ts'
import { open } from '../../src/index.ts'
import { memory } from '../../src/stores/memory/index.ts'

const vsa = open({ store: memory() })
const calls = vsa.budgets('calls', { limit: 10, per: 'minute' })
const seats = vsa.budget('seats', { initial: 10 })

const named = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [`b${at}`, calls]))

test.each<[string, object, string]>([
  ['an unknown option', { budgets: { calls }, header: false }, 'options.header is not known; it has budgets, cost'],
  ['no budgets', {}, 'options.budgets must be an object'],
  ['no budget', { budgets: {} }, 'options.budgets must name 1 to 16 budgets, got 0'],
  ['too many budgets', { budgets: named(17) }, 'options.budgets must name 1 to 16 budgets, got 17'],
  ['a name that no header can have', { budgets: { für: calls } }, 'a name has 1 to 64 printable ASCII characters'],
  ['a name of 65', { budgets: { ['n'.repeat(65)]: calls } }, 'a name has 1 to 64 printable ASCII characters'],
  ['a budget that is none', { budgets: { calls: 7 } }, 'options.budgets.calls must be an object'],
  [
    'a policy in place of a budget',
    { budgets: { calls: { limit: 1, per: 'day' } } },
    'options.budgets.calls.limit is not known',
  ],
  [
    'by without a family',
    { budgets: { seats: { from: seats, by: () => 'a' } } },
    'options.budgets.seats.by goes with a family',
  ],
  ['a negative cost', { budgets: { calls }, cost: -1 }, 'options.cost must be a whole number from 0 to 2^53 - 1'],
  ['a cost of NaN', { budgets: { calls: { from: calls, cost: Number.NaN } } }, 'options.budgets.calls.cost must be'],
  ['another draft', { budgets: { calls }, headers: 'draft-9' }, 'options.headers must be one of draft-11, draft-8'],
  ['another reset', { budgets: { calls }, legacyReset: 'date' }, 'options.legacyReset must be one of epoch, delta'],
  ['another pk', { budgets: { calls }, partitionKey: true }, 'options.partitionKey must be one of hash, id, false'],
  ['a clock that is none', { budgets: { calls }, clock: 5 }, 'options.clock must have now() and timer()'],
  ['onDenied that is no function', { budgets: { calls }, onDenied: 5 }, 'options.onDenied must be a function'],
  ['skip that is no function', { budgets: { calls }, skip: true }, 'options.skip must be a function'],
  [
    'ttlMs of 0',
    { budgets: { calls }, reserve: { ttlMs: 0 } },
    'options.reserve.ttlMs must be a whole number of milliseconds',
  ],
  [
    'ttlMs past a day',
    { budgets: { calls }, reserve: { ttlMs: 86_400_001 } },
    'options.reserve.ttlMs must be a whole number',
  ],
  [
    'an unknown part of reserve',
    { budgets: { calls }, reserve: { ttl: 1 } },
    'options.reserve.ttl is not known; it has ttlMs',
  ],
])('%s is refused', (_what, options, message) => {
  expect(() => checkOptions(options as LimitOptions<object>, 'onDenied' in options ? ['onDenied'] : [])).toThrow(
    message,
  )
})

test.each<[string, object]>([
  ['16 budgets', { budgets: named(16) }],
  ['a name of 64', { budgets: { ['n'.repeat(64)]: calls } }],
  ['ttlMs of a day', { budgets: { calls }, reserve: { ttlMs: 86_400_000 } }],
  [
    'every kind of budget',
    {
      budgets: {
        a: calls,
        b: seats,
        c: () => seats,
        d: { from: calls, by: () => 'x' },
        e: { from: () => seats, unit: 'pages' },
      },
    },
  ],
  ['what is undefined', { budgets: { calls }, header: undefined, cost: undefined }],
])('%s is accepted', (_what, options) => {
  expect(() => checkOptions(options as LimitOptions<object>, [])).not.toThrow()
})
