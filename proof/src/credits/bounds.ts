import type { AskOp, CreditOp } from './books.ts'
import type { CreditBounds } from './world.ts'

const PLAN = 'plan'
const EXTRA = 'extra'
const OVER = 'over'

/** `id` is 'a' where nothing else is said. */
function admit(keys: readonly string[], units: number, rest: Partial<AskOp> = {}): AskOp {
  return { kind: 'admit', id: 'a', form: 'first', keys, units: [units], ttl: 0, onExpire: 'return', ...rest }
}

function reserve(keys: readonly string[], units: number, rest: Partial<AskOp> = {}): AskOp {
  return { ...admit(keys, units), kind: 'reserve', ttl: 1, ...rest }
}

const take = (keys: readonly string[], units: number): CreditOp => ({ kind: 'take', keys, units })
const settle = (key: string, units: number): CreditOp => ({ kind: 'settle', key, id: 'a', units })
const refund = (key: string, units: number): CreditOp => ({ kind: 'refund', key, id: 'a', units })
const mint = (key: string, units: number): CreditOp => ({ kind: 'mint', key, id: 'm', units })

/** The configurations of the model of durable credits, by name. */
export const CREDIT_CONFIGURATIONS = {
  admissions: {
    what: 'I1: one id by both owners, lost answers, crashes, late batches, another caller, a top-up',
    isLossy: true,
    ...{ pools: { [PLAN]: 2 }, counters: [], timeMax: 0, joins: 1 },
    asks: [
      [admit([PLAN], 2), 3],
      [take([PLAN], 1), 1],
      [mint(PLAN, 1), 1],
    ],
  },
  requests: {
    what: 'I1: one id with other lists, other orders, other forms, other units, and as a reservation',
    ...{ pools: { [PLAN]: 2, [EXTRA]: 2 }, counters: [], timeMax: 1, joins: 0 },
    asks: [
      [admit([PLAN, EXTRA], 2), 2],
      [admit([EXTRA, PLAN], 2), 1],
      [admit([PLAN], 2), 1],
      [admit([PLAN, EXTRA], 0, { form: 'all', units: [1, 1] }), 1],
      [admit([PLAN, EXTRA], 1), 1],
      [reserve([PLAN, EXTRA], 2), 1],
      [settle(PLAN, 1), 1],
      [refund(EXTRA, 2), 1],
      [take([PLAN], 2), 1],
    ],
  },
  waterfall: {
    what: 'V1 V3: two budgets and an overage counter, a repeat, a refund, a lease that comes back or is burned',
    ...{ pools: { [PLAN]: 1, [EXTRA]: 1 }, counters: [OVER], timeMax: 0, joins: 1 },
    lease: { key: PLAN, units: 1 },
    asks: [
      [admit([PLAN, EXTRA, OVER], 3), 2],
      [refund(PLAN, 2), 1],
    ],
  },
  'lowered limit': {
    what: 'V1: a pool below 0 gives nothing, and a refusal leaves nothing',
    ...{ pools: { [PLAN]: -1, [EXTRA]: 2 }, counters: [], timeMax: 0, joins: 0 },
    lease: { key: PLAN, units: 2 },
    asks: [
      [admit([PLAN, EXTRA], 2), 2],
      [admit([PLAN], 1, { id: 'b' }), 2],
      [take([EXTRA], 1), 1],
    ],
  },
  refunds: {
    what: 'I2: a refund of an admission, repeated, by both owners, with another figure; other units are used',
    ...{ pools: { [PLAN]: 3 }, counters: [], timeMax: 0, joins: 1 },
    asks: [
      [admit([PLAN], 2), 2],
      [refund(PLAN, 3), 2],
      [take([PLAN], 1), 1],
    ],
  },
  reservations: {
    what: 'R3 R4 R5 I2: a reservation over two sources ends, is extended, settled and refunded',
    ...{ pools: { [PLAN]: 2, [EXTRA]: 1 }, counters: [], timeMax: 2, joins: 0 },
    asks: [
      [reserve([PLAN, EXTRA], 2), 2],
      [settle(PLAN, 1), 1],
      [settle(EXTRA, 4), 1],
      [{ kind: 'extend', key: PLAN, id: 'a', units: 3, ttl: 2 }, 1],
      [refund(PLAN, 1), 1],
      [refund(EXTRA, 3), 1],
      [take([PLAN, EXTRA], 1), 1],
    ],
  },
  captures: {
    what: 'R3 V3: a reservation that is captured, with an overage counter',
    ...{ pools: { [PLAN]: 2 }, counters: [OVER], timeMax: 4, joins: 0 },
    asks: [
      [reserve([PLAN, OVER], 3, { onExpire: 'capture' }), 2],
      [take([PLAN], 1), 1],
      [settle(PLAN, 1), 1],
      [settle(PLAN, 4), 1],
      [refund(PLAN, 4), 2],
    ],
  },
  forgetting: {
    what: 'R6: rows of two sources are forgotten, and the id may be used again',
    ...{ pools: { [PLAN]: 1, [EXTRA]: 2 }, counters: [], timeMax: 7, joins: 0 },
    asks: [
      [admit([PLAN, EXTRA], 2), 3],
      [admit([PLAN], 1, { id: 'b' }), 2],
      [refund(PLAN, 1), 2],
    ],
  },
  pairs: {
    what: 'R1 R6: reserveAll and admitAll: all or nothing, then each key by itself; forgotten together',
    ...{ pools: { [PLAN]: 2, [EXTRA]: 1 }, counters: [], timeMax: 8, joins: 0 },
    asks: [
      [reserve([PLAN, EXTRA], 0, { form: 'all', units: [1, 1], ttl: 4 }), 2],
      [settle(PLAN, 1), 1],
      [admit([PLAN, EXTRA], 0, { form: 'all', units: [1, 1], id: 'b' }), 1],
      [{ kind: 'refund', key: PLAN, id: 'b', units: 1 }, 2],
    ],
  },
  resets: {
    what: 'P5 S10 I2: a budget is reset, another one is removed',
    ...{ pools: { [PLAN]: 2, [EXTRA]: 1 }, counters: [], timeMax: 0, joins: 0, reset: PLAN, removed: EXTRA },
    asks: [
      [admit([PLAN, EXTRA], 3), 2],
      [refund(PLAN, 3), 2],
      [take([PLAN], 2), 2],
      [reserve([PLAN], 1, { id: 'b' }), 1],
      [{ kind: 'settle', key: PLAN, id: 'b', units: 1 }, 1],
      [{ kind: 'refund', key: PLAN, id: 'b', units: 1 }, 1],
    ],
  },
  intents: {
    what: 'T1: two transactions that settle, a direct settlement, expiry, another caller',
    ...{ pools: { [PLAN]: 2 }, counters: [], timeMax: 2, joins: 0 },
    transactions: [
      { key: PLAN, id: 'a', op: 'settle', units: 2 },
      { key: PLAN, id: 'a', op: 'settle', units: 0 },
    ],
    asks: [
      [reserve([PLAN], 2), 2],
      [settle(PLAN, 1), 1],
      [refund(PLAN, 1), 1],
      [take([PLAN], 2), 1],
    ],
  },
  'waterfall intents': {
    what: 'T1 V3: a transaction that settles a reservation over two sources',
    ...{ pools: { [PLAN]: 1, [EXTRA]: 1 }, counters: [], timeMax: 1, joins: 1 },
    transactions: [{ key: PLAN, id: 'a', op: 'settle', units: 1 }],
    asks: [[reserve([PLAN, EXTRA], 2), 2]],
  },
  'mint intents': {
    what: 'T1 L3: one mint id by two transactions and directly, of a budget whose row is made later',
    ...{ pools: {}, counters: [], timeMax: 0, joins: 1, unmade: PLAN },
    transactions: [
      { key: PLAN, id: 'm', op: 'mint', units: 2 },
      { key: PLAN, id: 'm', op: 'mint', units: 2 },
    ],
    asks: [[mint(PLAN, 2), 2]],
  },
} as const satisfies Readonly<Record<string, CreditBounds>>

export type CreditConfiguration = keyof typeof CREDIT_CONFIGURATIONS
