import type { Canary } from './canary.ts'

/** Bugs in what a row is, says and becomes: store rules that a model of one row and two owners has no room for. */
export const ROW_CANARIES: readonly Canary[] = [
  {
    name: 'spent-is-forgotten',
    rules: ['S3', 'L3'],
    what: 'what was spent goes back to the pool',
    file: 'core/apply-entry',
    find: 'draft.used += entry.spent;',
    replace: 'draft.pool += entry.spent;',
  },
  {
    name: 'refund-accepted-unsaid',
    rules: ['S3', 'S7'],
    what: 'units are taken back, and the answer says none were',
    file: 'core/apply-entry',
    find: 'return refunded > 0 ? { refunded } : undefined;',
    replace: 'return undefined;',
  },
  {
    name: 'lower-version-holds',
    rules: ['S3'],
    what: 'an older process changes the limit back',
    file: 'core/apply-entry',
    find: "if (policy.version <= draft.version || draft.kind === 'initial'",
    replace: "if (draft.kind === 'initial'",
  },
  {
    name: 'initial-minted-again',
    rules: ['S3', 'L1'],
    what: 'another number in `initial` changes what was minted',
    file: 'core/apply-entry',
    find: "|| draft.kind === 'initial' || policy.kind === 'initial')",
    replace: ')',
  },
  {
    name: 'made-too-early',
    rules: ['S4'],
    what: 'a row is made for a period that is far ahead',
    file: 'core/apply-entry',
    find: "return period > time + aheadMs ? 'period_closed' : undefined;",
    replace: 'return undefined;',
  },
  {
    name: 'overflow-stops-all',
    rules: ['S6'],
    what: 'a mint beyond 2^53 - 1 is a breach, not an answer',
    file: 'core/apply-entry',
    find: "return 'units_overflow';",
    replace: "draft.require(false, 'too many units');",
  },
  {
    name: 'others-unsaid',
    rules: ['S7', 'L5'],
    what: 'the answer does not say what others hold',
    file: 'core/row-draft',
    find: 'return { ...this.#leasesBefore, held: this.held };',
    replace: 'return { ...this.#leasesBefore, othersHeld: 0, held: this.held };',
  },
  {
    name: 'never-reaped',
    rules: ['S8', 'L5'],
    what: 'dead owners are never reaped',
    file: 'core/housekeeping',
    find: '(owner.expiresAt < time || isGone(owner))',
    replace: 'isGone(owner)',
  },
]
