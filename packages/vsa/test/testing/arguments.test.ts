import { describe, expect, test } from 'vitest'
import { memory } from '../../src/stores/memory/index.ts'
import { faultyStore, manualClock, seededRandom, storeConformance } from '../../src/testing/index.ts'

/** Called without types, as from JavaScript. */
type Untyped = (...values: unknown[]) => unknown

const clock = manualClock()
const makeFaulty = faultyStore as unknown as Untyped
const conformance = storeConformance as unknown as Untyped
const runner = { describe: () => undefined, it: () => undefined, expect: () => undefined }

describe('a wrong argument of vsa/testing is refused by name', () => {
  test.each<[string, () => unknown, Error]>([
    [
      'manualClock',
      () => (manualClock as unknown as Untyped)({ now: 5 }),
      new TypeError('options.now is not known; it has start'),
    ],
    [
      'the start of a clock',
      () => (manualClock as unknown as Untyped)({ start: '2025' }),
      new TypeError('options.start must be a finite number of ms, got "2025"'),
    ],
    ['a jump', () => clock.jumpWall(Number.NaN), new TypeError('ms must be a finite number of ms, got NaN')],
    [
      'faultyStore without a clock',
      () => makeFaulty(memory(), {}),
      new TypeError('options.clock must be a clock, such as manualClock(), got undefined'),
    ],
    [
      'the inner store',
      () => makeFaulty({ join: () => 1 }, { clock }),
      new TypeError("inner must be a store, such as sqlite('vsa.db'): an object without exchange()"),
    ],
    [
      'faultyStore',
      () => makeFaulty(memory(), { clock, scripts: {} }),
      new TypeError('options.scripts is not known; did you mean script?'),
    ],
    [
      'a method of a script',
      () => makeFaulty(memory(), { clock, script: { exchanges: [] } }),
      new TypeError('options.script.exchanges is not known; did you mean exchange?'),
    ],
    [
      'a script',
      () => makeFaulty(memory(), { clock, script: { join: { kind: 'refused' } } }),
      new TypeError('options.script.join must be an array of faults, got an object'),
    ],
    [
      'a fault of a script',
      () => makeFaulty(memory(), { clock, script: { join: [undefined, { kind: 'delay', requestMs: 1 }] } }),
      new TypeError('options.script.join[1].answerMs must be a number, got undefined'),
    ],
    [
      'a rate',
      () => makeFaulty(memory(), { clock, rates: { death: 1.5 } }),
      new RangeError('options.rates.death must be from 0 to 1, got 1.5'),
    ],
    [
      'rates together',
      () => makeFaulty(memory(), { clock, rates: { death: 0.6, late: 0.6 } }),
      new RangeError('options.rates must add up to at most 1, got 1.2'),
    ],
    [
      'an injected fault',
      () => (faultyStore(memory(), { clock }).inject as Untyped)('join', { kind: 'lost' }),
      new TypeError(
        'fault.kind must be one of delay, lost_request, lost_answer, duplicate, late, unknown, refused, death, got "lost"',
      ),
    ],
    [
      'a part of a fault',
      () => (faultyStore(memory(), { clock }).inject as Untyped)('join', { kind: 'refused', afterMs: 5 }),
      new TypeError('fault.afterMs is not known; it has kind'),
    ],
    [
      'the method of an injected fault',
      () => (faultyStore(memory(), { clock }).inject as Untyped)('close', undefined),
      new TypeError('method must be one of join, exchange, upkeep, delete, read, list, owners, got "close"'),
    ],
    [
      'a cut',
      () => (faultyStore(memory(), { clock }).cut as Untyped)('off'),
      new TypeError('how must be one of refuse, hang, got "off"'),
    ],
    [
      'the runner of storeConformance',
      () => conformance('memory', memory, { describe: () => 1 }),
      new TypeError('runner must be a test runner, such as { describe, it, expect }: an object without it()'),
    ],
    [
      'storeConformance',
      () => conformance('memory', memory, runner, { seeds: 5 }),
      new TypeError('options.seeds is not known; did you mean seed?'),
    ],
    [
      'the time of storeConformance',
      () => conformance('memory', memory, runner, { time: 'real' }),
      new TypeError('options.time must be one of injected, own, got "real"'),
    ],
    ['a seed', () => seededRandom('7' as unknown as number), new TypeError('seed must be a whole number, got "7"')],
  ])('%s', (_what, call, error) => {
    expect(call).toThrow(error)
  })

  test('rates that add up to 1 are accepted, whatever the rounding', () => {
    const rates = {
      delay: 0.1,
      lost_request: 0.2,
      lost_answer: 0.3,
      duplicate: 0.1,
      late: 0.1,
      unknown: 0.1,
      refused: 0.1,
    }
    expect(() => faultyStore(memory(), { clock, rates })).not.toThrow()
    expect(() => faultyStore(memory(), { clock, rates: { death: 1 } })).not.toThrow()
  })
})
