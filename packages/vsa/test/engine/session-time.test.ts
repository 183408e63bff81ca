import { describe, expect, test } from 'vitest'
import { DOWN, JOINED, answer, applied, fail, joined, sent, stage } from './session-fixture.ts'

describe('time', () => {
  test('O11: the session’s time is the store’s at the last answer plus monotonic time since', async () => {
    const scene = stage()
    expect(scene.session).toMatchObject({ time: 0, hasJoined: false, epoch: null })
    await scene.clock.advance(100)
    expect(scene.session.time).toBe(0)
    await joined(scene)
    expect(scene.session).toMatchObject({ time: 5_000, hasJoined: true, epoch: 7, version: 7 })
    await scene.clock.advance(70.5)
    expect(scene.session.time).toBe(5_070)
    scene.clock.jumpWall(3_600_000)
    expect(scene.session.time).toBe(5_070)
    await sent(scene)
    await answer(scene, applied(9_000))
    await scene.clock.advance(1)
    expect(scene.session.time).toBe(9_001)
  })

  test('O11: an owner ahead of the store is corrected, and is ahead by the age of the answer at most', async () => {
    for (const [tookMs, said, time] of [
      [0, 4_000, 4_000],
      [30, 4_000, 4_030],
      [30.2, 4_000, 4_031],
      [30, 5_099, 5_129],
      [30, 5_100, 5_130],
      // The answer may be as old as its call: the owner's own time is within that age.
      [30, 5_110, 5_130],
      [30, 5_130, 5_130],
      [30, 5_131, 5_131],
    ] as const) {
      const scene = stage()
      await joined(scene)
      await scene.clock.advance(100)
      await sent(scene)
      await scene.clock.advance(tookMs)
      await answer(scene, applied(said))
      expect(scene.session.time).toBe(time)
    }
  })

  test('O11: the age of an answer counts from the first attempt, for exchanges and joins', async () => {
    const scene = stage()
    await scene.clock.advance(100)
    await joined(scene)
    expect(scene.session.time).toBe(5_000)
    await scene.clock.advance(1_000)
    await sent(scene)
    await scene.clock.advance(20)
    await fail(scene, DOWN)
    await scene.clock.advance(40)
    await answer(scene, { kind: 'fenced', time: 5_000, last: null, forgot: true, gone: [] })
    expect(scene.session.time).toBe(5_060)
    await scene.clock.advance(500)
    await answer(scene, { ...JOINED, epoch: 9 })
    expect(scene.session.time).toBe(5_000 + 500)
  })

  test('O11 S3: before the first join there is no version, and afterwards it stays that of the first epoch', async () => {
    const scene = stage()
    expect(() => scene.session.version).toThrow('a policy is sent only after a join')
    await joined(scene)
    await sent(scene)
    await answer(scene, { kind: 'fenced', time: 6_000, last: null, forgot: true, gone: [] })
    expect(scene.session).toMatchObject({ version: 7, epoch: null, state: 'joining', hasJoined: true })
    await answer(scene, { ...JOINED, epoch: 9 })
    expect(scene.session).toMatchObject({ version: 7, epoch: 9, state: 'ready' })
  })

  test('O6: a keepalive is due a third of the lease lifetime after the last answer', async () => {
    const scene = stage()
    await scene.clock.advance(50)
    await joined(scene)
    expect(scene.session.leaseTtlMs).toBe(1_000)
    expect(scene.session.keepaliveAtMs).toBe(50 + 333)
    await scene.clock.advance(200)
    await sent(scene)
    await scene.clock.advance(40)
    await answer(scene, applied(5_240))
    expect(scene.session.keepaliveAtMs).toBe(290 + 333)
  })

  test('O7: how long an exchange takes is a moving average, from the first attempt to the answer', async () => {
    const scene = stage()
    await joined(scene)
    expect(scene.session.exchangeMs).toBe(1)
    await scene.clock.advance(33)
    await sent(scene)
    await scene.clock.advance(9)
    await answer(scene, applied(6_000))
    expect(scene.session.exchangeMs).toBe(2)
    await sent(scene)
    await scene.clock.advance(3)
    await fail(scene, DOWN)
    await scene.clock.advance(15)
    await answer(scene, applied(6_000, 'replayed'))
    expect(scene.session.exchangeMs).toBe(4)
    await sent(scene)
    await scene.clock.advance(500)
    await answer(scene, { kind: 'fenced', time: 6_000, last: null, forgot: true, gone: [] })
    expect(scene.session.exchangeMs).toBe(4)
  })
})
