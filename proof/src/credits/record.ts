import { type AskOp, type Books, type CreditAnswer, type CreditOp, sum } from './books.ts'
import type { Bug } from './bugs.ts'
import { KEEP } from './lists.ts'
import { sharesInOrder } from './sources.ts'
import type { CreditState, Grant } from './world.ts'

/* What callers were promised, kept apart from the books, and what is wrong with an answer. */

export type Fault = readonly [law: string, what: string]

export interface Judged {
  readonly state: CreditState
  readonly fault: Fault | null
}

type Answered<Kind extends CreditAnswer['kind']> = Extract<CreditAnswer, { kind: Kind }>

/** Checks the answer to `op`, and records it. `state.books` are those behind it. */
export function judge(state: CreditState, op: CreditOp, answer: CreditAnswer, bug: Bug | null): Judged {
  switch (op.kind) {
    case 'admit':
    case 'reserve':
      return judgeAsk(state, op, answer)
    case 'take':
      return judgeTake(state, op, answer)
    case 'settle':
      return judgeSettle(state, op, answer)
    case 'extend':
      return judgeExtend(state, op, answer)
    case 'refund':
      return judgeRefund(state, op, answer)
    case 'mint': {
      const name = `${op.key} ${op.id}`
      const isNew = answer.kind === 'done' && state.mints[name] === undefined
      return ok(isNew ? { ...state, mints: { ...state.mints, [name]: op.units } } : state)
    }
    case 'give back':
      // The caller was answered by another owner: it goes on using the units of a late grant.
      if (answer.kind !== 'done' || bug === 'late grant given back') return ok(state)
      return ok(withPlain(state, [op.key], [-answer.units]))
    case 'flush':
      return ok(state)
  }
}

/** What `grant` counts for in L1 at its key `at`: what its callers may use. */
export function usedOf(grant: Grant, at: number, time: number): number {
  const { settled, refund, kind, shares, expiresAt, list, waived } = grant
  if (waived.includes(list[at] ?? '')) return 0
  if (settled === null && kind === 'reserve') return time < expiresAt ? (shares[at] ?? 0) : 0
  return ((settled?.shares ?? shares)[at] ?? 0) - (refund?.back[at] ?? 0)
}

export function isFinal({ kind, settled }: Grant): boolean {
  return kind === 'admit' || settled !== null
}

function requestOf({ kind, form, keys, units }: AskOp): string {
  return `${kind} of ${units.join(' and ')} from ${form === 'all' ? 'each of' : 'the first of'} ${keys.join(', ')}`
}

function judgeAsk(state: CreditState, op: AskOp, answer: CreditAnswer): Judged {
  const { books, grants } = state
  const request = requestOf(op)
  const alike = grants.filter(({ id, list }) => id === op.id && list.some((key) => op.keys.includes(key)))
  const live = alike.filter((grant) => books.time < untilOf(grant))
  const isSame = live.length > 0 && live.every((grant) => grant.request === request)
  if (answer.kind === 'granted' && !answer.repeated) {
    if (live.length > 0) return fault(state, 'I1', `${op.id} is granted a second time`)
    const wrong = wrongShares(books, op, answer.shares)
    if (wrong !== null) return fault(state, 'V1', wrong)
    return ok({ ...state, grants: [...grants, ...grantsOf(books, op, answer.shares)] })
  }
  if (answer.kind === 'granted') {
    const same = alike.filter((grant) => grant.request === request)
    if (same.length === 0 || !(isSame || live.length === 0))
      return fault(state, 'I1', `${op.id} is answered for another request`)
    if (op.kind === 'reserve') return ok(state)
    const first = same.slice(-(op.form === 'all' ? op.keys.length : 1))
    if (first.flatMap(({ shares }) => shares).join() !== answer.shares.join())
      return fault(state, 'I1', `${op.id} is answered with another split, ${answer.shares.join(' + ')}`)
    const kept = sum(first.flatMap(({ shares, refund }) => [sum(shares), -sum(refund?.back ?? [])]))
    if (first.some(({ refund }) => refund !== null) && kept === 0)
      return fault(state, 'I1', `${op.id} is admitted again although all of it was given back`)
    return ok(state)
  }
  if (isSame && answer.kind !== 'given back before')
    return fault(state, 'I1', `a repeat of ${op.id} is answered ${answer.kind}`)
  if (answer.kind !== 'refused') return ok(state)
  if (op.keys.some((key) => books.reservations.has(`${key} ${op.id}`)))
    return fault(state, 'R1', `${op.id} was refused, and a row is left`)
  const isThere = op.form === 'first' && sharesInOrder(books, op.keys, op.units[0] ?? 0, null) !== null
  return isThere ? fault(state, 'V1', `${op.id} is refused although its sources have enough`) : ok(state)
}

function grantsOf(books: Books, op: AskOp, shares: readonly number[]): readonly Grant[] {
  const rest = {
    settled: null,
    refund: null,
    waived: [],
    request: requestOf(op),
    expiresAt: books.time + (op.kind === 'admit' ? 0 : op.ttl),
  }
  const { id, kind, onExpire, keys } = op
  if (op.form === 'first') return [{ id, kind, onExpire, list: keys, shares, ...rest }]
  return keys.map((key, at) => ({ id, kind, onExpire, list: [key], shares: [shares[at] ?? 0], ...rest }))
}

function judgeTake(state: CreditState, op: Extract<CreditOp, { kind: 'take' }>, answer: CreditAnswer): Judged {
  if (answer.kind !== 'granted') return ok(state)
  const wrong = wrongShares(state.books, { form: 'first', keys: op.keys, units: [op.units] }, answer.shares)
  return wrong === null ? ok(withPlain(state, op.keys, answer.shares)) : fault(state, 'V1', wrong)
}

/** All or nothing; a later source gives nothing while an earlier one has some. */
function wrongShares(
  books: Books,
  { form, keys, units }: Pick<AskOp, 'form' | 'keys' | 'units'>,
  shares: readonly number[],
): string | null {
  if (shares.some((share) => share < 0)) return `a source gave ${shares.join(' and ')}`
  if (form === 'all') return shares.join() === units.join() ? null : `${shares.join()} of ${units.join()} granted`
  if (sum(shares) !== units[0]) return `${shares.join(' + ')} is not ${units[0]}`
  const last = shares.findLastIndex((share) => share > 0)
  const left = keys.findIndex((key, at) => at < last && (books.rows.get(key)?.pool ?? 0) > 0)
  return left < 0 ? null : `${keys[last]} gave units while ${keys[left]} has some`
}

function judgeSettle(state: CreditState, op: Extract<CreditOp, { kind: 'settle' }>, answer: CreditAnswer): Judged {
  const { books } = state
  const grant = grantFor(state, op)
  const said = `the settlement of ${op.id}`
  if (answer.kind === 'unknown' && grant !== undefined && books.time < untilOf(grant))
    return fault(state, 'R6', `${op.id} is forgotten`)
  if (answer.kind !== 'settled') return ok(state)
  if (grant === undefined) return fault(state, 'R4', `${said} is of nothing`)
  const known = grant.kind === 'admit' ? { shares: grant.shares, uncovered: 0 } : grant.settled
  if (known !== null) {
    const isSame = known.shares.join() === answer.shares.join() && known.uncovered === answer.uncovered
    return isSame && answer.repeated ? ok(state) : fault(state, 'R4', `${said} has two outcomes`)
  }
  if (answer.repeated) return fault(state, 'R4', `${said} is a repeat of nothing`)
  if (sum(answer.shares) + answer.uncovered !== op.units) return fault(state, 'R4', `${said} is not ${op.units}`)
  const isOpen = books.time < grant.expiresAt
  const wrong = isOpen && sum(answer.shares) < sum(grant.shares) ? wrongReturn(grant.shares, answer.shares) : null
  if (wrong !== null) return fault(state, 'V3', wrong)
  const settled = { shares: answer.shares, uncovered: answer.uncovered, until: books.time + KEEP }
  return ok(withGrant(state, grant, { ...grant, settled }))
}

/** V3: an earlier source gets nothing back while a later one keeps some. */
function wrongReturn(before: readonly number[], after: readonly number[]): string | null {
  const first = before.findIndex((share, at) => (after[at] ?? 0) < share)
  const isWrong = after.some((share, at) => at > first && share > 0)
  return isWrong ? `${before.join(' + ')} became ${after.join(' + ')}, which is not in reverse order` : null
}

function judgeExtend(state: CreditState, op: Extract<CreditOp, { kind: 'extend' }>, answer: CreditAnswer): Judged {
  const { books } = state
  const grant = grantFor(state, op)
  if (answer.kind === 'unknown' && grant !== undefined && books.time < untilOf(grant))
    return fault(state, 'R6', `${op.id} is forgotten`)
  if (answer.kind !== 'done' || grant === undefined) return ok(state)
  const shares = grant.list.map((key) => books.reservations.get(`${key} ${op.id}`)?.charged ?? 0)
  if (sum(shares) !== answer.units) return fault(state, 'R5', `${op.id} has ${sum(shares)} of ${answer.units}`)
  const expiresAt = Math.max(grant.expiresAt, books.time + op.ttl)
  return ok(withGrant(state, grant, { ...grant, shares, expiresAt }))
}

function judgeRefund(state: CreditState, op: Extract<CreditOp, { kind: 'refund' }>, answer: CreditAnswer): Judged {
  const grant = grantFor(state, op)
  const isLive = grant !== undefined && state.books.time < untilOf(grant)
  if (answer.kind === 'unknown' && isLive) return fault(state, 'I2', `${op.id} is forgotten`)
  if (answer.kind === 'not final' && grant !== undefined && isFinal(grant))
    return fault(state, 'I2', `the refund of ${op.id} is refused although it is final`)
  if (answer.kind !== 'refunded') return ok(state)
  if (grant === undefined) return fault(state, 'I2', `${op.id} was never granted`)
  if (grant.refund !== null)
    return answer.repeated && answer.back.join() === grant.refund.back.join()
      ? ok(state)
      : fault(state, 'I2', `the refund of ${op.id} has two outcomes`)
  if (!isFinal(grant)) return fault(state, 'I2', `${op.id} is refunded while it may still be settled`)
  const wrong = wrongRefund(state, grant, op.units, answer)
  if (wrong !== null) return fault(state, 'I2', wrong)
  const refund = { back: answer.back, until: state.books.time + KEEP }
  return ok(withGrant(state, grant, { ...grant, refund }))
}

function wrongRefund(
  { books }: CreditState,
  grant: Grant,
  units: number,
  { back }: Answered<'refunded'>,
): string | null {
  const shares = grant.settled?.shares ?? grant.shares
  const said = `${back.join(' + ')} came back of ${shares.join(' + ')}`
  if (back.some((some, at) => some > (shares[at] ?? 0)) || sum(back) > units) return said
  if (units === 0) return null
  /** Where a source gave back as much as it can. */
  const isEmpty = grant.list.map(
    (key, at) =>
      back[at] === shares[at] ||
      grant.waived.includes(key) ||
      (!books.counters.has(key) && (books.rows.get(key)?.used ?? 0) === 0),
  )
  const first = sum(back) < units ? -1 : back.findIndex((some) => some > 0)
  return isEmpty.some((empty, at) => at > first && !empty) ? `${said}, for a refund of ${units}` : null
}

function untilOf({ kind, settled, refund, expiresAt }: Grant): number {
  const end = kind === 'reserve' && settled !== null ? settled.until : expiresAt + KEEP
  return Math.max(end, refund?.until ?? 0)
}

function grantFor(
  { grants }: CreditState,
  { key, id }: { readonly key: string; readonly id: string },
): Grant | undefined {
  return grants.findLast((grant) => grant.id === id && grant.list.includes(key))
}

function withGrant(state: CreditState, old: Grant, changed: Grant): CreditState {
  return { ...state, grants: state.grants.map((grant) => (grant === old ? changed : grant)) }
}

/** Units that are used without an id. */
export function withPlain(state: CreditState, keys: readonly string[], units: readonly number[]): CreditState {
  const plain = { ...state.plain }
  keys.forEach((key, at) => (plain[key] = (plain[key] ?? 0) + (units[at] ?? 0)))
  return { ...state, plain }
}

function ok(state: CreditState): Judged {
  return { state, fault: null }
}

function fault(state: CreditState, law: string, what: string): Judged {
  return { state, fault: [law, what] }
}
