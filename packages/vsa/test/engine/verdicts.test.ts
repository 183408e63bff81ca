import { describe, expect, test } from 'vitest'
import { manualClock } from '../../src/testing/index.ts'
import { PendingRequest, RequestTerms, type Verdict } from '../../src/engine/requests/pending-request.ts'
import { Verdicts } from '../../src/engine/requests/verdicts.ts'
import { bench, codeOf } from './fixture.ts'

const ADMITTED: Verdict = { kind: 'admitted', row: null }

/** Notes its number when it is told. */
class Numbered extends PendingRequest {
  readonly #told: number[]
  readonly #number: number

  constructor(told: number[], number: number) {
    super(new RequestTerms([], false, 1))
    this.#told = told
    this.#number = number
  }

  tell(): void {
    this.#told.push(this.#number)
  }
}

/** A clock whose turns the test runs one by one. */
function stepped() {
  const turns: (() => void)[] = []
  const clock = { ...manualClock(), soon: (run: () => void) => void turns.push(run) }
  return {
    verdicts: new Verdicts(clock),
    /** Runs what was due at the turn's start. */
    turn: () => {
      for (const run of turns.splice(0)) run()
    },
  }
}

describe('verdicts', () => {
  test('L8: 10,000 callers are told in order, at most 512 in two turns', () => {
    const { verdicts, turn } = stepped()
    const told: number[] = []
    for (let number = 0; number < 10_000; number += 1) verdicts.tell(new Numbered(told, number), ADMITTED)
    expect(told).toHaveLength(512)
    let turns = 0
    for (let before = told.length; told.length < 10_000; before = told.length, turns += 1) {
      turn()
      expect(told.length - before).toBeLessThanOrEqual(512)
    }
    expect(turns).toBe(2 * Math.ceil(10_000 / 512 - 1))
    expect(told).toEqual(Array.from({ length: 10_000 }, (_, number) => number))
  })

  test('callers that get a verdict while others wait for theirs are told after them', () => {
    const { verdicts, turn } = stepped()
    const told: number[] = []
    for (let number = 0; number < 1_000; number += 1) verdicts.tell(new Numbered(told, number), ADMITTED)
    turn()
    verdicts.tell(new Numbered(told, 1_000), ADMITTED)
    turn()
    expect(told.at(-1)).toBe(1_000)
    expect(told).toHaveLength(1_001)
  })

  test('all that is left can be told at once', () => {
    const { verdicts, turn } = stepped()
    const told: number[] = []
    for (let number = 0; number < 2_000; number += 1) verdicts.tell(new Numbered(told, number), ADMITTED)
    verdicts.tellAll()
    expect(told).toEqual(Array.from({ length: 2_000 }, (_, number) => number))
    turn()
    turn()
    expect(told).toHaveLength(2_000)
  })
})

describe('many callers of one engine', () => {
  test('callers are told before `close` resolves', async () => {
    const { owner } = bench()
    const one = owner()
    const seats = one.vsa.budget('seats', { initial: 5_000 })
    let told = 0
    const asked = Array.from({ length: 5_000 }, () => seats.admit().then(() => (told += 1)))
    await one.vsa.close()
    expect(told).toBe(5_000)
    await Promise.all(asked)
  })

  test('L8: 20,000 requests that time out together do so 1,000 at a time, each once', async () => {
    const { clock, owner } = bench()
    const one = owner({ deadlineMs: 1_000, waitersMax: 30_000 })
    const seats = one.vsa.budget('seats', { initial: 100_000 })
    await seats.admit()
    one.net.cut('hang')
    const codes: unknown[] = []
    const asked = Array.from({ length: 20_000 }, () =>
      seats.admit().catch((error: unknown) => codes.push(codeOf(error))),
    )
    await clock.advance(990)
    expect(codes).toEqual([])
    let most = 0
    for (let ms = 0, before = 0; ms < 1_000; ms += 1, before = codes.length) {
      await clock.advance(1)
      most = Math.max(most, codes.length - before)
    }
    expect(codes).toHaveLength(20_000)
    await Promise.all(asked)
    expect(most).toBeLessThanOrEqual(1_000)
    expect(new Set(codes)).toEqual(new Set(['timeout']))
    expect(one.vsa.stats().waiters).toBe(0)
  })

  test('a crowd that cannot be served in time is refused early, from its end, and the others are admitted', async () => {
    const { clock, owner, row } = bench()
    const one = owner({ deadlineMs: 1_000 })
    const family = one.vsa.budgets('cold', { limit: 10, per: 'day' })
    await one.vsa.ready()
    const refused: number[] = []
    const codes = new Set<unknown>()
    let admitted = 0
    const exchange = one.net.exchange.bind(one.net)
    one.net.exchange = async (batch) => {
      const answer = await exchange(batch)
      await new Promise<void>((resolve) => void clock.timer(40, resolve))
      return answer
    }
    const asked = Array.from({ length: 50_000 }, (_, number) =>
      family
        .of(`key-${number}`)
        .admit()
        .then(
          () => (admitted += 1),
          (error: unknown) => {
            codes.add(codeOf(error))
            return refused.push(number)
          },
        ),
    )
    await clock.advance(400)
    expect(refused.length).toBeGreaterThan(20_000)
    await clock.advance(1_500)
    await Promise.all(asked)
    expect([...codes]).toEqual(['too_many_waiters'])
    expect(admitted + refused.length).toBe(50_000)
    expect(admitted).toBeGreaterThan(15_000)
    expect(Math.min(...refused.slice(0, 500))).toBeGreaterThan(49_000)
    expect((await row('cold:key-0')).used).toBe(1)
  })
})
