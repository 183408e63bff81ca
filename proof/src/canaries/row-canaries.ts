import type { Canary } from './canary.ts'

/** Bugs in rows, their answers and their changes: store rules that a model of one row and two owners cannot express. */
export const ROW_CANARIES: readonly Canary[] = [
  {
    name: 'time-seen-forgotten',
    rules: ['S1'],
    what: 'the store does not keep the latest time that it has seen',
    file: 'stores/memory/rows',
    find: 'return this.#timeSeen;',
    replace: 'return 0;',
  },
  {
    name: 'spent-is-forgotten',
    rules: ['S3', 'L3'],
    what: 'spent units return to the pool',
    file: 'core/row-draft',
    find: 'this.held -= units;\n        this.used += units;',
    replace: 'this.held -= units;\n        this.pool += units;',
  },
  {
    name: 'refund-accepted-unsaid',
    rules: ['S3', 'S7'],
    what: 'a refund is accepted, and the answer reports 0 accepted units',
    file: 'core/settle-entry',
    find: 'return refunded > 0 ? { refunded } : undefined;',
    replace: 'return undefined;',
  },
  {
    name: 'lower-version-holds',
    rules: ['S3'],
    what: 'an older process changes the limit back',
    file: 'core/row-draft',
    find: 'if (version <= this.version || endsAt !== this.#before.endsAt)',
    replace: 'if (endsAt !== this.#before.endsAt)',
  },
  {
    name: 'initial-minted-again',
    rules: ['S3', 'L1'],
    what: 'a changed `initial` changes the minted units of an existing row',
    file: 'core/policies/initial',
    find: 'return settleUnits(draft, entry);',
    replace:
      'if (!draft.isNew && entry.policy !== undefined)\n        draft.adopt(entry.policy);\n    return settleUnits(draft, entry);',
  },
  {
    name: 'made-too-early',
    rules: ['S4'],
    what: 'a row is created for a period that is far ahead',
    file: 'core/settle-entry',
    find: "return period > time + aheadMs ? 'period_closed' : undefined;",
    replace: 'return undefined;',
  },
  {
    name: 'overflow-stops-all',
    rules: ['S6'],
    what: 'a mint beyond 2^53 - 1 is answered as a breach of the whole batch, not as an overflow of its entry',
    file: 'core/row-draft',
    find: "return 'units_overflow';",
    replace: "this.#refuse('too many units');",
  },
  {
    name: 'others-unsaid',
    rules: ['S7', 'L5'],
    what: 'the answer omits the units that other owners hold',
    file: 'core/entry-answers',
    find: 'const { held, pool, used, burned, minted, reserved, limit, version, others, othersHeld } = row;',
    replace:
      'const { held, pool, used, burned, minted, reserved, limit, version, others } = row;\n    const othersHeld = 0;',
  },
]
