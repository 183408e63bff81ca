import type { Canary } from './canary.ts'

/** Bugs in refunds by an id, and in waterfalls: I2, V1, V3. */
export const GIVING_BACK_CANARIES: readonly Canary[] = [
  {
    name: 'refund-by-id-not-remembered',
    rules: ['I2'],
    what: 'a refund by an id is not remembered, and counts each time',
    file: 'core/reservations/changes',
    find: 'refunded: back[at] ?? 0 })',
    replace: 'refunded: null })',
  },
  {
    name: 'refund-by-id-of-an-open-one',
    rules: ['I2'],
    what: 'what is not settled yet can be given back',
    file: 'core/reservations/changes',
    find: "if (lot.state !== 'final')\n        return { kind: 'not_final'",
    replace: "if (lot.state === 'none')\n        return { kind: 'not_final'",
  },
  {
    name: 'refund-by-id-above-the-charge',
    rules: ['I2'],
    what: 'a refund by an id gives back what was asked for, up to all that is used',
    file: 'core/reservations/changes',
    find: '? Math.min(charged, source.used)',
    replace: '? source.used',
  },
  {
    name: 'refund-by-id-behind-a-reset',
    rules: ['I2', 'L1'],
    what: 'what a reset has given back already is given back by the id as well',
    file: 'core/reservations/changes',
    find: 'source.resets === resets ?',
    replace: 'source.resets >= resets ?',
  },
  {
    name: 'waterfall-in-part',
    rules: ['V1'],
    what: 'a waterfall is granted though its sources have less together',
    file: 'core/reservations/takes',
    find: 'return sum(shares) === asked ? shares : null;',
    replace: 'return shares;',
  },
  {
    name: 'negative-pool-drawn',
    rules: ['V1'],
    what: 'a source with less than nothing gives a negative share, and later ones more',
    file: 'core/reservations/sources',
    find: 'return Math.max(0, source.pool);',
    replace: 'return Math.min(source.pool, Number.MAX_SAFE_INTEGER);',
  },
  {
    name: 'returned-to-the-first-source',
    rules: ['V3'],
    what: 'units go back to the first source first',
    file: 'core/reservations/sources',
    find: 'for (let at = parts.length - 1; at >= 0; at -= 1) {',
    replace: 'for (let at = 0; at <= parts.length - 1; at += 1) {',
  },
  {
    name: 'repeat-given-back',
    rules: ['I2', 'L1'],
    what: 'a repeated decision, which took nothing, gives units back',
    file: 'engine/admission/decisions',
    find: 'if (decision.repeated === true)',
    replace: 'if (decision.repeated === null)',
  },
]
