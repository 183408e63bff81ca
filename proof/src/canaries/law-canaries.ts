import type { Canary } from './canary.ts'

/** Bugs that break L4, L6 or L8 without first breaking a rule of another check, and old bugs that the corpus reproduces. */
export const LAW_CANARIES: readonly Canary[] = [
  {
    name: 'burn-max-is-the-limit',
    rules: ['L4'],
    what: 'a window row gets its limit as `burnMax`, so leases grow however many units have burned',
    file: 'core/policies/window',
    find: 'policy.burnMax ?? burnMaxDefault(limit);',
    replace: 'limit;',
  },
  {
    name: 'dead-lease-outside-burn-max',
    rules: ['L4', 'S5', 'S8'],
    what: 'leases of closed epochs count towards `burnMax` only after their row has been rewritten',
    file: 'core/row-draft',
    find: 'this.burned < this.burnMax;',
    replace: 'this.#before.burned < this.burnMax;',
  },
  {
    name: 'exhausted-asks-each-time',
    rules: ['L6', 'O12'],
    what: 'each request for an exhausted row costs a store call',
    file: 'engine/admission/local-admission',
    find: "return this.#clock.monotonic() < heardAtMs + pauseMs ? 'lacking' : 'stale';",
    replace: "return 'unknown';",
  },
  {
    name: 'exhausted-asked-by-exchange',
    rules: ['L6', 'O12'],
    what: 'an exhausted row is asked by an exchange after each pause, which writes, and not by a read',
    file: 'engine/admission/exhausted-rows',
    find: 'return !this.#isClosed && this.#parts.session.lastError === null;',
    replace: 'return false;',
  },
  {
    name: 'peek-mixes-moments',
    rules: ['L2'],
    what: 'a peek subtracts from `remaining` what it does not add to `used`',
    file: 'engine/admission/peeks',
    find: 'const remaining = Math.max(0, minted - used - reserved - burned);',
    replace: 'const remaining = Math.max(0, minted - used - reserved - burned - delta);',
  },
  {
    name: 'denial-takes-away',
    rules: ['L6'],
    what: 'a denied request removes one unit from the budget',
    file: 'core/grant-takes',
    find: 'if (granted === 0)\n        return 0;',
    replace:
      "if (granted === 0) {\n        for (const [index] of take.need) {\n            const effect = effects[index];\n            if (effect?.kind === 'budget' && effect.draft.pool > 0) {\n                effect.draft.pool -= 1;\n                effect.draft.minted -= 1;\n            }\n        }\n        return 0;\n    }",
  },
  {
    name: 'flush-visits-every-row',
    rules: ['L8', 'G3'],
    what: 'each flush visits every leased row, not only those that have been idle for long',
    file: 'engine/exchange/batch-planner',
    find: 'if (!everything && row.schedule.usedAtMs > unusedBeforeMs)\n                return;',
    replace: 'if (!everything && row.schedule.usedAtMs > unusedBeforeMs)\n                continue;',
  },
  {
    name: 'gate-counts-each-unit',
    rules: ['L8', 'G1'],
    what: 'the hot path loops once for each unit of the cost',
    file: 'engine/budget/gate',
    find: 'tryAdmit(units = 1) {\n        let room = -1;\n        try {\n            room = this.room - units;',
    replace:
      'tryAdmit(units = 1) {\n        let room = this.room;\n        try {\n            for (let unit = 0; unit < units; unit += 1)\n                room -= 1;',
  },
  {
    name: 'lowered-durable-lost',
    rules: ['O4', 'O5', 'L3'],
    what: 'a refund that lowered the spending of a durable request is lost when the request moves to a new epoch',
    file: 'engine/exchange/fencing',
    find: 'if (units > spent)\n        row.lease.owe(units - spent);',
    replace: '',
  },
]
