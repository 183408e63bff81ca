import type { Canary } from './canary.ts'

/** Bugs in what becomes of a key that is deleted, and of the owners that knew it: P6. */
export const DELETION_CANARIES: readonly Canary[] = [
  {
    name: 'deletion-unheard',
    rules: ['P6', 'L2'],
    what: 'an owner whose lease was deleted is not told',
    file: 'core/settle-entry',
    find: 'if (loaded.isDeleted === true)',
    replace: 'if (loaded.isDeleted === true && loaded.row === undefined)',
  },
  {
    name: 'deletion-heard-for-ever',
    rules: ['P6'],
    what: 'an owner that was told once is told each time',
    file: 'core/transition',
    find: "if (effect.kind !== 'none' || effect.noRow !== 'deleted' ||",
    replace: "if (effect.kind !== 'none' || effect.noRow === 'deleted' ||",
  },
  {
    name: 'deletion-undone-by-a-replay',
    rules: ['P6', 'S2'],
    what: 'a repeated batch is answered with the figures of the fresh row',
    file: 'core/entry-answers',
    find: 'if (rows?.row === undefined || rows.isDeleted === true)',
    replace: 'if (rows?.row === undefined)',
  },
  {
    name: 'deletion-keeps-mint-ids',
    rules: ['P6'],
    what: 'a mint id of a deleted key counts as minted',
    file: 'core/deletion',
    find: 'mints: hasMoreBudgets ? [] : mints',
    replace: 'mints: []',
  },
  {
    name: 'deletion-keeps-what-was-set-aside',
    rules: ['P6', 'R2'],
    what: 'other budgets do not get back what a deleted reservation had set aside of them',
    file: 'core/deletion',
    find: "if (lot.state === 'final')",
    replace: "if (lot.state !== 'expired')",
  },
  {
    name: 'deletion-gives-back-what-was-kept',
    rules: ['P6', 'R3'],
    what: 'what an expired reservation had kept of other budgets goes back to them',
    file: 'core/deletion',
    find: 'isOpen(lot) ? release : consume',
    replace: 'isOpen(lot) ? release : release',
  },
  {
    name: 'deletion-in-part',
    rules: ['P6'],
    what: 'a deletion says that it is done though there is more',
    file: 'core/deletion',
    find: 'isDone: !hasMoreReservations && !hasMoreBudgets && !hasMoreMints }',
    replace: 'isDone: true }',
  },
  {
    name: 'deleted-key-forgotten',
    rules: ['P6', 'S4'],
    what: 'nothing is kept of a deleted key: an owner that knew its row finds it lost',
    file: 'stores/sqlite/load-entries',
    find: 'if (row === undefined && known && isDeletedKey(source.statements, key, time))',
    replace: 'if (row === null)',
  },
]
