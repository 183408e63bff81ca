/**
 * The run that a canary is planted for: seeds of the `simulation`, or of the one of a store that is `forgetting`; the `conformance` suite of the stores; `direct` checks of what neither can
 * bring about or see.
 */
export type FoundBy = 'simulation' | 'forgetting' | 'conformance' | 'direct'

/** Seeds of the simulation that can find a canary at all: every one, those on SQLite, or those on SQLite with very many rows. */
export type SeedKind = 'sqlite' | 'wide-sqlite'

export interface Expectation {
  readonly foundBy: FoundBy
  /** The laws and rules that the bug breaks, and by which it may be reported. Any other law is no catch. */
  readonly laws: readonly string[]
  readonly seeds?: SeedKind
  /** Where a law is not one that the canary names: why the bug breaks it. */
  readonly why?: string
}

function simulated(laws: readonly string[], why?: string): Expectation {
  return why === undefined ? { foundBy: 'simulation', laws } : { foundBy: 'simulation', laws, why }
}

function conforming(...laws: readonly string[]): Expectation {
  return { foundBy: 'conformance', laws }
}

function forgetting(laws: readonly string[]): Expectation {
  const why = 'units are admitted twice, which is what the rule prevents'
  return { foundBy: 'forgetting', laws, why }
}

function checked(laws: readonly string[]): Expectation {
  return { foundBy: 'direct', laws }
}

/** By the canary's name. A canary without an entry, and an entry without a canary, fail. */
export const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  // Store rules
  'time-goes-back': simulated(['S1']),
  'time-seen-forgotten': simulated(['S1']),
  'batch-half-applied': simulated(['S7', 'L3'], 'what is answered as applied is not in the rows'),
  'replay-applied-again': simulated(['S2', 'L3']),
  'ended-epoch-accepted': simulated(['S2', 'L3']),
  'old-seq-applied': simulated(['S2', 'L3']),
  'gap-applied': { foundBy: 'conformance', laws: ['S2'] },
  'replay-renews-nothing': simulated(['S8'], 'S2 renews the expiry; without it the epoch is reaped before it ends'),
  'token-ignored': { foundBy: 'conformance', laws: ['S2', 'L1', 'L3'] },
  'fenced-without-outcome': simulated(['S2']),
  'fenced-one-seq-behind': simulated(['S2']),
  'epoch-given-twice': simulated(['S2']),
  'spent-stays-leased': simulated(['L2']),
  'refund-beyond-used': simulated(['L2', 'S3']),
  'refund-made-of-nothing': simulated(['L1', 'L3']),
  'minted-twice': simulated(['L3', 'S3', 'L1'], 'a mint counts once (L3)'),
  'id-conflict-minted': simulated(['L3', 'S3'], 'a mint counts once (L3)'),
  'mint-id-forgotten': simulated(['L3', 'S3', 'L1'], 'a mint counts once (L3)'),
  'spent-is-forgotten': simulated(['L3']),
  'refund-accepted-unsaid': simulated(['L3', 'S7'], 'units are back that the answer does not account for'),
  'lower-version-holds': simulated(['S3']),
  'initial-minted-again': simulated(['L1', 'L2'], 'the mint and the pool no longer agree: the trial balance stops it'),
  'take-in-part': simulated(['L3'], 'units are granted that are not taken'),
  'take-of-the-first-pool': simulated(['L2', 'S3'], 'the second pool falls below 0: the trial balance stops it'),
  'take-rounded-up': simulated(['L2', 'S3'], 'the pool falls below 0: the trial balance stops it'),
  'lease-from-an-empty-pool': simulated(['S3', 'L1']),
  'lease-without-debit': simulated(['L2']),
  'settlement-unwritten': simulated(['L3', 'L2']),
  'ended-period-created': simulated(['S4']),
  'made-too-early': simulated(['S4']),
  'wanted-lease-grows': simulated(['S5']),
  'grows-past-burn-max': simulated(['S5', 'L4']),
  'overflow-stops-all': simulated(['S6']),
  'taken-units-from-the-rows': simulated(['S2', 'S7']),
  'refund-answered-from-the-rows': simulated(['S2', 'S7']),
  'removed-row-refused': simulated(['S2', 'S10']),
  'lease-answered-as-it-was': simulated(['S7']),
  'others-unsaid': simulated(['S7']),
  'dead-lease-returned': simulated(['S8']),
  'dead-lease-dropped': simulated(['S8', 'L2']),
  'dead-lease-burned-for-ever': simulated(['S8', 'L2']),
  'reaped-early': simulated(['S8']),
  'late-owner-reaps-itself': simulated(['S8']),
  'living-lease-burned': simulated(['S8']),
  'standstill-forgotten': simulated(['S8']),
  'idle-owner-reaped': simulated(['S8']),
  'leap-removes-rows': simulated(['S10']),
  'clock-ahead-removes-rows': simulated(['S10']),
  'quiet-owner-leaves-rows': simulated(['S10']),
  'dead-lease-counts-as-living': simulated(['S8', 'L4']),
  'dead-lease-forgotten-on-touch': simulated(['L2', 'S8']),
  'dead-lease-kept-on-touch': simulated(['L2', 'S8']),
  'dead-lease-outside-burn-max': simulated(['L4', 'S5']),
  'never-reaped': simulated(['S8', 'L5']),
  'close-keeps-the-epoch-open': simulated(['S9']),
  'row-removed-early': simulated(['S10']),
  'leased-row-removed': simulated(['S10']),
  'upkeep-time-forgotten': { foundBy: 'direct', laws: ['L1'], why: 'the row that upkeep removed is a fresh budget' },

  // The SQLite store
  'sqlite-stale-lease-total': { foundBy: 'simulation', laws: ['L2', 'S7'], seeds: 'sqlite' },
  'sqlite-burning-done-after-one-slice': { foundBy: 'simulation', laws: ['S8', 'L4'], seeds: 'wide-sqlite' },
  'sqlite-cache-outlives-others-writes': { foundBy: 'conformance', laws: ['L1', 'L2', 'L3', 'S1', 'S2'] },
  'sqlite-cache-keeps-the-old-row': { foundBy: 'simulation', laws: ['L2', 'L3', 'S7'], seeds: 'sqlite' },
  'sqlite-not-synchronous': { foundBy: 'direct', laws: ['S7'] },
  'sqlite-not-fullfsync': { foundBy: 'direct', laws: ['S7'] },
  'sqlite-locks-not-watched': { foundBy: 'direct', laws: ['L1'] },

  // An owner's conversation with the store
  'new-seq-after-unknown': simulated(['O2']),
  'old-answer-believed': simulated(['O2']),
  'seq-stands-still': simulated(['O2']),
  'seq-survives-its-epoch': simulated(['O2']),
  'return-deducted-on-acknowledgement': simulated(['L1', 'O3']),
  'sent-spending-forgotten': simulated(['L1', 'O3']),
  'asked-counts-as-had': simulated(['L1', 'O3']),
  'spent-since-forgotten': simulated(['L1', 'O3']),
  'refund-usable-at-once': simulated(['L1', 'L3']),
  'refund-lowers-and-travels': simulated(['L3', 'L1'], 'units come back twice'),
  'refund-sent-twice': simulated(['L3', 'L1'], 'units come back twice'),
  'netted-and-sent': simulated(['L3', 'L1'], 'units come back twice'),
  'accepted-refund-owed-again': simulated(['L3', 'L1'], 'units come back twice'),
  'left-after-fencing': simulated(['O5']),
  'delta-carried-over': simulated(['O5']),
  'refund-of-an-applied-batch-sent-again': simulated(['L3']),
  'fenced-counts-as-applied': simulated(['L3', 'O5']),
  'confirmed-with-the-batch-before': simulated(['O9']),
  'fenced-close-not-taken-for-closed': simulated(['S9', 'O13']),
  'fenced-taken-for-closed': simulated(
    ['L3', 'S9', 'O13'],
    'what the last batch carried is lost, and the close is reported as done',
  ),

  // What an owner decides, settles and keeps
  overdraft: simulated(['L1', 'O1']),
  'served-from-nothing': simulated(['L1', 'O1']),
  'denied-given-back': simulated(['L1', 'L3']),
  'unaccounted-given-back': simulated(['L1', 'L3']),
  'foreign-given-back': simulated(['L1', 'L3']),
  'flush-before-its-refunds': simulated(['L3'], 'a refund is not durable when a flush resolves'),
  'refund-of-an-unknown-fate-lost': { foundBy: 'direct', laws: ['O5'] },
  'wrong-answer-used': { foundBy: 'direct', laws: ['O2'] },
  'unsent-refund-forgotten': simulated(['L3'], 'units that were given back are lost, without a report'),
  'overtaking-refund-lost': simulated(['L3'], 'units that were given back are lost, without a report'),
  'refused-refund-untold': simulated(['L3'], 'units that were given back are lost, without a report'),
  'refund-of-a-fenced-batch-lost': simulated(['L3'], 'units that were given back are lost, without a report'),
  'counter-dropped-on-fencing': simulated(['L3'], 'the counter is not what was added'),
  'counter-doubled-on-fencing': simulated(['L3'], 'the counter is not what was added'),
  'waiters-dropped-on-fencing': simulated(['O10'], 'a request that was dropped is never answered'),
  'taken-again-after-fencing': simulated(['L3'], 'units are taken twice for one request'),
  'lease-kept-on-fencing': simulated(['O5']),
  'no-keepalive': simulated(['O6']),
  'idle-lease-kept': simulated(['O6']),
  'lease-above-at-risk': simulated(['L4']),
  'low-lease-not-topped-up': simulated(
    ['L5', 'O10'],
    'no exchange is sent for the request, so that it waits until its deadline',
  ),
  'durable-before-acknowledged': simulated(['O9']),
  'durable-served-from-a-lease': simulated(['O9']),
  'group-granted-whole': simulated(
    ['L1', 'O9'],
    'callers are told that they are admitted, and the store has not granted it',
  ),
  'late-grant-kept': simulated(['L3'], 'units stay taken for a request that was answered with a time-out'),
  'late-confirmation-kept': simulated(['L3'], 'units stay spent for a request that was answered with a time-out'),
  'no-deadline': simulated(['O10']),
  'next-period-early': simulated(['O11']),
  'period-mixed-up': simulated(['L3', 'L1']),
  'wall-clock': simulated(['O11']),
  'exhausted-for-ever': simulated(['L5']),
  'read-that-changes-nothing': simulated(['L5']),
  'hint-too-short': simulated(['O11']),
  'want-as-long-as-asked': simulated(['O12']),
  'want-not-marked': simulated(['L5']),
  'recall-ignored': simulated(['L5']),
  'reserved-is-denied': simulated(['L5']),
  'refund-behind-the-last-batch': simulated(['L3'], 'units that were given back are lost, without a report'),
  'closing-leaves-waiters': simulated(['L3'], 'units stay taken for a request that was answered with a time-out'),
  'closes-with-leases': simulated(['S9']),
  'quarantine-takes-all': simulated(['S6', 'L5'], 'the other keys of the batch are not answered'),
  'flush-resolves-early': simulated(['L3']),

  // The gate
  'fractions-admitted': simulated(['G1']),
  'negatives-admitted': simulated(['G1']),
  'not-a-number-admitted': simulated(['G1']),
  'unknown-option-ignored': simulated(['G1']),
  'room-below-zero': simulated(['L1', 'O1']),
  'refund-above-the-delta': simulated(['L1', 'L3', 'O4'], 'units that are not in the lease can be admitted'),
  'first-spend-unmarked': simulated(['L3', 'G3'], 'what was admitted is not durable when a flush resolves'),
  'look-spends': simulated(['G2']),
  'timer-for-nothing': simulated(['G3']),
  'late-period': simulated(['L1', 'L3'], 'the answer names a row that the units did not come from'),
  'eviction-forgets': simulated(['O1', 'L1'], 'the gate that is made again admits from the period before'),
  'evicted-row-unnamed': simulated(['G5']),
  'account-dropped-in-use': simulated(['O6', 'L1', 'L3'], 'the lease that was forgotten is never returned'),
  'two-gates': simulated(['G5', 'L1'], 'both gates admit from one lease'),
  'two-accounts': simulated(['G5', 'L1']),

  // L4, L6, L8, and the corpus
  'burn-max-is-the-limit': simulated(['L4']),
  'exhausted-asks-each-time': simulated(['L6']),
  'exhausted-asked-by-exchange': simulated(['L6']),
  'peek-mixes-moments': simulated(['L2']),
  'denial-takes-away': simulated(['L6']),
  'flush-visits-every-row': { foundBy: 'direct', laws: ['L8'] },
  'gate-counts-each-unit': { foundBy: 'direct', laws: ['L8'] },
  'lowered-durable-lost': simulated(['L3']),
  // Reservations, ids, waterfalls and resets
  'id-not-looked-up': conforming('R1', 'I1'),
  'other-request-repeated': conforming('R1'),
  'refunded-admitted-again': conforming('I1'),
  'told-two-outcomes': conforming('R4'),
  'extended-in-part': conforming('R5'),
  'refunded-twice': conforming('I2'),
  'refund-behind-a-reset': conforming('I2', 'P5'),
  'refund-above-the-charge': conforming('I2'),
  'returned-in-order': conforming('V3'),
  'drawn-from-a-negative-pool': conforming('V1', 'R4'),
  'captured-returned': conforming('R3'),
  'never-expires-at-touch': conforming('R3'),
  'forgotten-by-the-first-budget': conforming('R6'),
  'captured-forgotten-as-reserved': conforming('R6', 'R2'),
  'change-ends-with-the-period': conforming('P2'),
  'replay-without-credits': conforming('S2', 'R1'),
  'reset-not-applied': simulated(['P5']),
  'reset-frees-reserved': simulated(['R2', 'P5', 'L2']),
  'captured-returned-when-forgotten': simulated(['R6', 'L3', 'R2'], 'what was captured is used from then on (L3)'),
  'forgotten-a-day-after': simulated(['R6']),
  'sqlite-settled-in-memory': {
    ...simulated(['R4', 'R1', 'R2', 'R3', 'I2'], 'a reservation is found in the state before (R1, R3, I2)'),
    seeds: 'sqlite',
  },
  'sqlite-cache-behind-the-file': {
    ...simulated(['R4', 'R5', 'R1', 'R3'], 'a reservation is found in the state before (R1, R3)'),
    seeds: 'sqlite',
  },
  'sqlite-reserved-row-removed': conforming('S10', 'R2'),
  'sqlite-found-by-one-key': conforming('R1', 'R7'),
  // Credits, in the simulation
  'no-id-check': simulated(['R1', 'I1']),
  'id-of-the-first-source-alone': simulated(['R1', 'I1']),
  'admission-answered-by-a-reservation': simulated(['R1', 'I1']),
  'refusal-remembered': simulated(['R1', 'I1'], 'a request that was refused has an id for good'),
  'split-of-the-present': simulated(['V1']),
  'settled-twice': simulated(['R4', 'R2', 'L2'], 'units are used that are not set aside: the trial balance stops it'),
  'settled-above-the-pool': simulated(['R4', 'L2'], 'the pool falls below 0: the trial balance stops it'),
  'expiry-of-a-final-one': simulated(['R3', 'L2'], 'units go back that are not set aside: the trial balance stops it'),
  'capture-returned': simulated(['R3']),
  'extension-by-more-than-is-there': simulated(['R5']),
  'extension-revives': simulated(['R5']),
  'forgotten-early': simulated(['R6']),
  'row-removed-with-reserved-units': simulated(['R2']),
  'late-grant-of-an-id-given-back': simulated(['R8', 'L3'], 'units go back that the id still has'),
  'change-of-unknown-fate-dropped': checked(['R8']),
  'reserved-left-out-of-the-balance': checked(['L2']),
  'refund-by-id-not-remembered': simulated(['I2']),
  'refund-by-id-of-an-open-one': simulated(['I2']),
  'refund-by-id-above-the-charge': simulated(['I2']),
  'refund-by-id-behind-a-reset': checked(['I2']),
  'waterfall-in-part': simulated(['V1']),
  'negative-pool-drawn': simulated(['V1', 'L2'], 'units are taken that are not there: the trial balance stops it'),
  'returned-to-the-first-source': simulated(['V3']),
  'repeat-given-back': checked(['I2']),
  'changed-rows-first': simulated(['G5']),
  'sources-of-then': simulated(['G5']),

  // Deletion
  'deletion-unheard': simulated(['P6', 'L2']),
  'deletion-heard-for-ever': simulated(['P6', 'L2']),
  'deletion-undone-by-a-replay': conforming('P6', 'S2'),
  'deletion-keeps-mint-ids': conforming('P6'),
  'deletion-keeps-what-was-set-aside': simulated(['P6', 'R2']),
  'deletion-gives-back-what-was-kept': conforming('P6', 'R3'),
  'deletion-in-part': conforming('P6'),
  'deletion-counts-an-overdue-one-as-open': simulated(['R3', 'L3'], 'what it kept is used, and is given back instead'),
  'deletion-hides-a-fresh-row': simulated(['P6', 'R2', 'L3'], 'what a reservation had of the row stays set aside'),
  'deletion-silent-about-spending': simulated(['P6', 'L1'], 'units were admitted that are in no account'),
  'deletion-refused-when-done': simulated(['P6']),
  'deleted-key-forgotten': conforming('P6', 'S4'),

  // A store that forgot
  'older-incarnation-applied': forgetting(['F1']),
  'forgot-without-outcome': forgetting(['F2']),
  'frozen-take-granted': forgetting(['F3', 'L1']),
  'frozen-lease-grows': forgetting(['L1']),
  'freeze-not-begun': forgetting(['F3', 'L1']),
  'nothing-remembered': forgetting(['L1']),
  'forgets-at-once': forgetting(['L1']),
  'restated-and-not-burned': forgetting(['F5', 'L1']),
  'restates-after-requests': forgetting(['L1']),
  'restates-by-the-pool': forgetting(['F5']),
  'forgotten-refund-sent-again': { foundBy: 'direct', laws: ['L1'], why: 'the refund counts twice' },
  'silent-though-it-remembers': forgetting(['F6']),
  'gone-not-told': forgetting(['F7']),
  'gone-not-heard': { foundBy: 'direct', laws: ['L1'], why: 'the take is admitted twice' },
  'late-answer-counts': forgetting(['L1']),
  'loss-not-restated': forgetting(['L1']),
  'freeze-not-renewed': forgetting(['F3', 'L1']),
  'restated-once': forgetting(['L1']),
}
