import { describe, expect, test } from 'vitest'
import type { RowPolicy } from '../../src/core/exchange.ts'
import { IDLE_OWNERS_MAX } from '../../src/core/reap-owners.ts'
import type { BudgetRow } from '../../src/core/rows.ts'
import { asking, Books, LEASE_TTL_MS, seats } from './books-fixture.ts'

const PAST: RowPolicy = { kind: 'window', limit: 9, burnMax: 5, version: 1, endsAt: 1_000_000, keepUntil: 1_070_000 }

/** An owner that leased `units` of each of `rows` budgets, and is dead. */
function dead(books: Books, rows: number, units: number): number {
  const epoch = books.join()
  const names = Array.from({ length: rows }, (_, index) => `k${index}`)
  const entries = names.map((name) => asking(name, { policy: seats(units + 1), hold: units }))
  books.apply(epoch, entries)
  books.now += LEASE_TTL_MS + 1
  return epoch
}

describe('upkeep is a separate transition', () => {
  test('S8 S10: an exchange alone reaps, burns and removes nothing', () => {
    const books = new Books()
    const [silent, living] = [books.join(), books.join()]
    books.row(silent, asking('a', { policy: seats(9), hold: 4 }))
    books.row(living, asking('b', { policy: PAST }))
    books.now = 1_070_001 + LEASE_TTL_MS
    const look = books.batch(living, {})
    expect(books.exchange(look).kind).toBe('applied')
    expect(books.rows.owner(silent)?.state).toBe('open')
    expect(books.budget('b')).toBeDefined()
    expect(books.send(look).kind).toBe('replayed')
    expect(books.rows.owner(silent)?.state).toBe('closed')
    expect(books.budget('a')).toMatchObject({ burned: 4, pool: 5 })
    expect(books.budget('b')).toBeUndefined()
  })

  test('S8: upkeep renews the calling owner, however late it is, so that no other owner reaps it before its exchange', () => {
    const books = new Books()
    const [late, other] = [books.join(), books.join()]
    books.row(late, asking('a', { policy: seats(9), hold: 1 }))
    books.row(other, asking('a', { known: true, hold: 1 }))
    books.now += LEASE_TTL_MS + 1
    expect(books.maintain(late).leadsOn).toBe(true)
    expect(books.rows.owner(late)).toMatchObject({ state: 'open', expiresAt: books.now + LEASE_TTL_MS })
    // The other one is as late, and comes second.
    books.maintain(other)
    expect(books.rows.owner(late)?.state).toBe('open')
    expect(books.exchange(books.batch(late, {})).kind).toBe('applied')
  })

  test('S8, S2: a delayed batch of an older seq renews no owner', () => {
    const books = new Books()
    const epoch = books.join()
    const old = books.batch(epoch, {})
    books.send(old)
    books.send(books.batch(epoch, {}))
    const { expiresAt } = books.rows.owner(epoch) ?? {}
    books.now += LEASE_TTL_MS + 1
    expect(books.send(old).kind).toBe('stale')
    expect(books.rows.owner(epoch)?.expiresAt).toBe(expiresAt)
  })

  test('S8: an owner whose process is known to be dead is reaped before its epoch expires', () => {
    const books = new Books()
    const [gone, living] = [books.join(), books.join()]
    books.row(gone, asking('a', { policy: seats(9), hold: 4 }))
    books.maintain(living, ({ epoch }) => epoch === gone)
    expect(books.rows.owner(gone)?.state).toBe('closed')
    expect(books.rows.owner(living)?.state).toBe('open')
  })

  test('S8: a dead owner’s lease on a removed row is removed, and creates no row', () => {
    const books = new Books()
    const silent = books.join()
    books.row(silent, asking('a', { policy: seats(9), hold: 4 }))
    books.rows.removeBudget({ key: 'a', period: 0 })
    books.now += LEASE_TTL_MS + 1
    books.join()
    expect(books.rows.budgets()).toEqual([])
    expect(books.rows.hasLeases(silent)).toBe(false)
  })

  test('S8, L2: several dead leases on one row are burned by one write of the row', () => {
    const books = new Books()
    const [one, two] = [books.join(), books.join()]
    books.row(one, asking('a', { policy: seats(9), hold: 4 }))
    books.row(two, asking('a', { known: true, hold: 3 }))
    books.now += LEASE_TTL_MS + 1
    books.join()
    expect(books.budget('a')).toMatchObject({ minted: 9, used: 0, pool: 2, burned: 7 })
    expect(books.held('a')).toBe(0)
  })

  test('S1 S10: upkeep that removes a row stores its time, so that the row is not created again after the clock is set back', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('b', { policy: PAST }))
    books.now = 1_070_001
    books.maintain(epoch)
    books.now = 1_000_000
    expect(books.apply(epoch, [asking('b', { policy: PAST })]).entries).toEqual([{ kind: 'period_closed' }])
  })

  test('S1: upkeep with nothing to do does not store its time', () => {
    const books = new Books()
    const epoch = books.join()
    books.now += 1_000
    books.maintain(epoch)
    expect(books.rows.timeSeen).toBe(1_000_000)
  })
})

const DAY_MS = 86_400_000
const TEN_YEARS_MS = 3_653 * DAY_MS

describe('a leap of store time', () => {
  /** Rows of 40 past days, each kept for 400 days, and an owner whose clock is right. */
  function history(): { books: Books; right: number } {
    const books = new Books()
    books.now = 1_000 * DAY_MS
    const right = books.join()
    for (let day = 0; day < 40; day += 1) {
      const endsAt = books.now + DAY_MS
      const policy = { ...PAST, endsAt, keepUntil: endsAt + 400 * DAY_MS }
      books.apply(right, [asking('day', { period: books.now, policy })])
      books.pass(DAY_MS, right)
    }
    return { books, right }
  }

  test('S10: a join with a clock ten years ahead removes nothing, then or later, while a right clock contradicts it', () => {
    const { books, right } = history()
    const rows = books.rows.budgets().length
    expect(rows).toBe(40)
    const now = books.now
    books.now += TEN_YEARS_MS
    const wrong = books.join()
    expect(books.rows.budgets()).toHaveLength(rows)
    for (let turn = 1; turn <= 30; turn += 1) {
      books.now = now + turn * 1_000
      books.apply(right, [])
      books.now += TEN_YEARS_MS
      books.apply(wrong, [])
    }
    expect(books.rows.budgets()).toHaveLength(rows)
  })

  test('S10, S1: rows that are due by the right clock go on being removed, though store time is ten years ahead', () => {
    const { books, right } = history()
    const now = books.now
    books.now += TEN_YEARS_MS
    books.join()
    books.now = now + LEASE_TTL_MS + 1
    books.rows.keepTime(books.rows.timeSeen + LEASE_TTL_MS + 1)
    const policy = { ...PAST, endsAt: books.rows.timeSeen + 1, keepUntil: now - 1 }
    books.rows.saveBudget({ ...rowOf(books), key: 'old', ...policy, limit: 9 })
    books.apply(right, [])
    expect(books.budget('old', rowOf(books).period)).toBeUndefined()
    expect(books.rows.budgets()).toHaveLength(40)
  })

  test('S10: after a real pause of more than an hour, rows go one lease lifetime later', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('b', { policy: PAST }))
    books.now += DAY_MS
    books.apply(epoch, [])
    books.now += LEASE_TTL_MS
    books.apply(epoch, [])
    expect(books.budget('b')).toBeDefined()
    books.now += 1
    books.apply(epoch, [])
    expect(books.budget('b')).toBeUndefined()
  })

  test('S8, L4: a leap fences no owner that lived until then, and one that stays silent burns one lease lifetime later', () => {
    const books = new Books()
    const [living, silent] = [books.join(), books.join()]
    for (const epoch of [living, silent]) books.row(epoch, asking('a', { policy: seats(20), hold: 4 }))
    books.now += TEN_YEARS_MS
    const wrong = books.join()
    expect(books.apply(living, [asking('a', { known: true, hold: 4 })]).entries).toMatchObject([{ held: 4, burned: 0 }])
    books.now += LEASE_TTL_MS
    books.apply(living, [])
    expect(books.budget('a')?.burned).toBe(0)
    books.now += 1
    books.apply(wrong, [])
    expect(books.budget('a')?.burned).toBe(4)
    expect(books.rows.owner(living)?.state).toBe('open')
  })

  test('S8: a process that crashes each night leaves one lease behind, not one for each night', () => {
    const books = new Books()
    for (let night = 0; night < 5; night += 1) {
      const epoch = books.join()
      const leases = [...books.rows.leasesOn({ key: 'a', period: 0 })].length
      expect(leases).toBeLessThanOrEqual(1)
      books.row(epoch, asking('a', { policy: seats(100), hold: 4 }))
      books.now += DAY_MS
    }
  })
})

function rowOf(books: Books): BudgetRow {
  const [row] = books.rows.budgets()
  if (row === undefined) throw new Error('no row')
  return row
}

describe('an owner that holds nothing', () => {
  test('S8, O6: keeps its epoch for a week without a word', () => {
    const books = new Books()
    const [idle, living] = [books.join(), books.join()]
    books.row(idle, asking('a', { policy: seats(9) }))
    for (let day = 0; day < 6; day += 1) {
      books.pass(DAY_MS, living)
      expect(books.apply(idle, [asking('a', { known: true })], [{ need: [[0, 1]], n: 1 }]).granted).toEqual([1])
    }
    books.pass(7 * DAY_MS, living)
    expect(books.rows.owner(idle)?.state).toBe('open')
    books.now += 1
    books.maintain(living)
    expect(books.rows.owner(idle)?.state).toBe('closed')
  })

  test('S8: of those that have expired, the 256 seen last are kept', () => {
    const books = new Books()
    const living = books.join()
    const idle = Array.from({ length: IDLE_OWNERS_MAX + 3 }, () => {
      books.now += 1
      return books.join()
    })
    books.now += LEASE_TTL_MS + 1
    books.maintain(living)
    const closed = idle.filter((epoch) => books.rows.owner(epoch)?.state === 'closed')
    expect(closed).toEqual(idle.slice(0, 3))
  })

  test('S8: is reaped at once when its process is known to be dead', () => {
    const books = new Books()
    const [idle, living] = [books.join(), books.join()]
    books.maintain(living, ({ epoch }) => epoch === idle)
    expect(books.rows.owner(idle)?.state).toBe('closed')
  })
})

describe('when upkeep is due again', () => {
  test('S10: in as many ms as the next retention takes to end; at once while there is more; not while nothing is kept', () => {
    const books = new Books()
    const epoch = books.join()
    expect(books.maintain(epoch).dueInMs).toBeNull()
    for (const [at, key] of ['a', 'b', 'c'].entries())
      books.row(epoch, asking(key, { policy: { ...PAST, keepUntil: 1_070_000 + 1_000 * at } }))
    expect(books.maintain(epoch).dueInMs).toBe(70_001)
    books.now = 1_071_001
    books.upkeepRowsMax = 1
    expect(books.maintain(epoch)).toMatchObject({ isBehind: true, dueInMs: 0 })
    books.upkeepRowsMax = 9
    expect(books.maintain(epoch)).toMatchObject({ isBehind: false, dueInMs: 1_000 })
    books.now += 1_000
    expect(books.maintain(epoch).dueInMs).toBeNull()
    expect(books.rows.budgets()).toEqual([])
  })

  test('S10: at once after epochs were closed or leases burned, because there is more to do now', () => {
    const books = new Books()
    const dead = books.join()
    books.row(dead, asking('b', { policy: PAST, hold: 1 }))
    const living = books.join()
    books.now += 200_000
    expect(books.maintain(living)).toMatchObject({ leadsOn: true, dueInMs: 0 })
    expect(books.maintain(living)).toMatchObject({ writes: { leases: [{ held: 0 }] }, leadsOn: true, dueInMs: 0 })
    expect(books.maintain(living)).toMatchObject({ leadsOn: false, dueInMs: null })
    expect(books.rows.budgets()).toEqual([])
  })

  test('S10: while a leap holds up the removal, it is looked at again soon', () => {
    const books = new Books()
    const epoch = books.join()
    books.row(epoch, asking('b', { policy: PAST }))
    books.now += DAY_MS
    books.apply(epoch, [])
    expect(books.maintain(epoch).dueInMs).toBe(1_000)
  })
})

describe('upkeep is bounded per call, and reports when there is more', () => {
  test('S8, L2: leases burn in slices, and count as held until then', () => {
    const books = new Books()
    books.upkeepRowsMax = 200
    dead(books, 500, 2)
    const epoch = books.join()
    const burned: number[] = []
    for (let turn = 0; turn < 4; turn++) {
      burned.push(books.rows.budgets().reduce((sum, row) => sum + row.burned, 0))
      for (const row of books.rows.budgets()) {
        expect(row.used + row.pool + row.burned + books.held(row.key)).toBe(row.minted)
        expect(row.pool).toBe(1)
      }
      books.maintain(epoch)
    }
    expect(burned).toEqual([400, 800, 1_000, 1_000])
  })

  test('S8: an epoch stays in the burning set until its last lease is burned, and is not loaded again afterwards', () => {
    const books = new Books()
    books.upkeepRowsMax = 2
    const silent = dead(books, 5, 1)
    const living = books.join()
    expect(books.rows.hasLeases(silent)).toBe(true)
    expect(books.maintain(living).writes?.leases).toHaveLength(2)
    expect(books.maintain(living).writes?.leases).toHaveLength(1)
    expect(books.rows.hasLeases(silent)).toBe(false)
    expect(books.maintain(living).writes).toBeNull()
  })

  test('S6, S8: a lease that would burn beyond 2^53 - 1 stays, and the others burn', () => {
    const books = new Books()
    const silent = dead(books, 2, 1)
    books.damage('k0', { burned: Number.MAX_SAFE_INTEGER })
    books.join()
    expect([books.held('k0'), books.held('k1')]).toEqual([1, 0])
    expect(books.budget('k1')?.burned).toBe(1)
    expect(books.rows.owner(silent)?.state).toBe('closed')
  })

  test('S10: one upkeep removes as many rows as one exchange can create, so that it keeps up with any rate', () => {
    const books = new Books()
    const epoch = books.join()
    for (let turn = 0; turn < 5; turn++) {
      const period = books.now
      const policy = { ...PAST, endsAt: period + 1, keepUntil: period + 1 }
      const names = Array.from({ length: 1_000 }, (_, index) => `k${index}`)
      books.apply(
        epoch,
        names.map((name) => asking(name, { period, policy })),
      )
      books.now += 120_002
      expect(books.rows.budgets()).toHaveLength(1_000)
    }
    books.maintain(epoch)
    expect(books.rows.budgets()).toEqual([])
  })

  test('S2: a closed owner is forgotten after seven days, but not while it has a lease', () => {
    const books = new Books()
    books.upkeepRowsMax = 1
    const silent = dead(books, 1, 1)
    const living = books.join()
    expect(books.rows.owner(silent)?.state).toBe('closed')
    books.pass(7 * 86_400_000, living)
    expect(books.rows.owner(silent)?.state).toBe('closed')
    books.now += 1
    books.maintain(living)
    expect(books.rows.owner(silent)).toBeUndefined()
  })
})
