import type { Canary } from './canary.ts'

/** Bugs in what an owner does when its epoch has ended: rule O5. */
export const FENCING_CANARIES: readonly Canary[] = [
  {
    name: 'refund-of-an-unknown-fate-lost',
    rules: ['O5'],
    what: 'a refund in a batch whose fate the store has forgotten is counted nowhere',
    file: 'engine/exchange/fencing',
    find: 'this.#refunds.giveUp(row, sent.refund);',
    replace: ';',
  },
  {
    name: 'refund-of-a-fenced-batch-lost',
    rules: ['O5'],
    what: 'a refund in a batch that was surely not applied does not move to the new epoch',
    file: 'engine/exchange/fencing',
    find: 'row.lease.owe(sent.refund);',
    replace: ';',
  },
  {
    name: 'counter-dropped-on-fencing',
    rules: ['O5'],
    what: 'counter additions in a batch that was surely not applied are dropped',
    file: 'engine/exchange/fencing',
    find: 'counter.pending += sent;',
    replace: ';',
  },
  {
    name: 'counter-doubled-on-fencing',
    rules: ['O5'],
    what: 'counter additions in a batch that was applied are sent again under the new epoch',
    file: 'engine/exchange/fencing',
    find: "if (fate.kind === 'not_applied')\n            counter.pending",
    replace: 'if (true)\n            counter.pending',
  },
  {
    name: 'waiters-dropped-on-fencing',
    rules: ['O5'],
    what: 'requests of a batch that was surely not applied are dropped without an answer',
    file: 'engine/exchange/fencing',
    find: 'this.#recollect(inFlight, fate, answer);\n        this.#loseAll(again);\n        waiting.requeue(again);',
    replace: 'this.#recollect(inFlight, fate, answer);\n        this.#loseAll(again);',
  },
  {
    name: 'taken-again-after-fencing',
    rules: ['O5'],
    what: 'takes that the fenced answer reports as granted are requested a second time',
    file: 'engine/exchange/fencing',
    find: '(fate.outcome.granted[index] ?? 0)',
    replace: '0',
  },
  {
    name: 'lease-kept-on-fencing',
    rules: ['O5'],
    what: 'a fenced owner keeps its leases under the new epoch',
    file: 'engine/exchange/fencing',
    find: 'row.lose();\n        leases.touch(row, held);',
    replace: 'row.lease.sent = null;\n        leases.touch(row, held);',
  },
]
