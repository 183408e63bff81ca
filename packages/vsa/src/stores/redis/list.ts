import type { RowName } from '../../core/exchange.ts'
import type { BudgetRow, LeaseRow, OwnerRow } from '../../core/rows.ts'
import type { ListPage, ListRange } from '../../core/store.ts'
import { assertWhole } from '../../core/units.ts'
import { fieldOf, memberOf, memberRange } from './keys.ts'
import { bytesOf, bytesOrNone, list, number, pairs, rowNameFrom, text, unpackBudget, unpackOwner } from './rows.ts'
import { LIST, OWNERS, READ } from './scripts/list.ts'
import type { Script } from './scripts/script.ts'
import type { Session } from './session.ts'
import { stateFrom } from './state.ts'

/** The most rows of one page. */
const PAGE_ROWS_MAX = 10_000

/** The rows that exist, in the order of the names. */
export async function readBudgets(session: Session, names: readonly RowName[]): Promise<readonly BudgetRow[]> {
  const answer = await answerOf(session, READ, names.map(fieldOf))
  if (answer === undefined) return []
  const found = list(answer[0])
  return names.flatMap((name, at) => {
    const bytes = bytesOrNone(found[at])
    return bytes === undefined ? [] : unpackBudget(name, bytes).row
  })
}

/** One page of budgets with their leases, keys in the order of their UTF-8 bytes. @throws TypeError, RangeError for a bad limit */
export async function listBudgets(session: Session, range: ListRange): Promise<ListPage> {
  const { limit } = range
  assertWhole('limit', limit, { min: 1, max: PAGE_ROWS_MAX, of: 'rows' })
  const answer = await answerOf(session, LIST, [...membersIn(range), String(limit)])
  if (answer === undefined) return { rows: [] }
  const [rows, held] = answer
  const leases = leasesByField(list(held))
  return {
    rows: pairs(rows).map(([field, bytes]) => ({
      budget: unpackBudget(rowNameFrom(field), bytesOf(bytes)).row,
      leases: (leases.get(text(field)) ?? []).toSorted((a, b) => a.epoch - b.epoch),
    })),
  }
}

/** Every owner row, oldest first. */
export async function listOwners(session: Session): Promise<readonly OwnerRow[]> {
  const answer = await answerOf(session, OWNERS, [])
  if (answer === undefined) return []
  const labels = new Map(pairs(answer[1]).map(([epoch, label]) => [number(epoch), text(label)]))
  const owners = pairs(answer[0]).map(([epoch, bytes]) => {
    return unpackOwner(number(epoch), bytesOf(bytes), labels.get(number(epoch)))
  })
  return owners.toSorted((a, b) => a.epoch - b.epoch)
}

/** Without the state; undefined where there is no store. */
async function answerOf(
  session: Session,
  script: Script,
  values: readonly string[],
): Promise<readonly unknown[] | undefined> {
  const [state, ...rest] = list(await session.run({ script, values, phase: 'load' }))
  return stateFrom(state, session.prefix) === undefined ? undefined : rest
}

/** The first and the last member of the index, as `ZRANGEBYLEX` takes them. */
function membersIn({ key, after }: ListRange): readonly [from: string, to: string] {
  const [first, last] = memberRange(key)
  if (after === undefined) return [first, last]
  const isBeforeKey = key !== undefined && Buffer.compare(Buffer.from(after.key), Buffer.from(key)) < 0
  return [isBeforeKey ? first : `(${memberOf(after)}`, last]
}

/** @param flat list of (epoch, field, held) */
function leasesByField(flat: readonly unknown[]): ReadonlyMap<string, readonly LeaseRow[]> {
  const leases = new Map<string, LeaseRow[]>()
  for (let at = 0; at < flat.length; at += 3) {
    const field = text(flat[at + 1])
    const lease = { ...rowNameFrom(flat[at + 1]), epoch: number(flat[at]), held: number(flat[at + 2]) }
    const onRow = leases.get(field)
    if (onRow === undefined) leases.set(field, [lease])
    else onRow.push(lease)
  }
  return leases
}
