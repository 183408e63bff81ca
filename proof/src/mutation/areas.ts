/** A part of the code whose mutants are sampled together. */
export interface MutationArea {
  readonly name: string
  /** Matches paths below `packages/vsa/src`. A file belongs to the first area that matches. */
  readonly files: RegExp
  readonly suite: Suite
  /** One mutant of so many is tried. */
  readonly oneIn: number
}

/** Tests that run together; for each mutant, those that reach it. */
export interface Suite {
  readonly name: string
  /** Patterns below `packages/vsa/test`, from the quickest tests to the slowest. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** They take long, or measure. */
const PROOF = '**/*.proof.test.ts'

/** For the transitions: the tests of the engine reach them as well, but take much longer. */
const TRANSITIONS: Suite = {
  name: 'transitions',
  include: ['core/**/*.test.ts', 'stores/memory-conformance.test.ts'],
  exclude: [PROOF, '**/core/errors.test.ts'],
}

/** No process, no disk, no thread. */
const ENGINE: Suite = {
  name: 'engine',
  include: [
    'core/**/*.test.ts',
    'engine/{state-machine,session*,flush-scheduler}.test.ts',
    'engine/**/*.test.ts',
    'stores/memory-conformance.test.ts',
  ],
  // `errors.test.ts` looks for names in the text of the sources, where mutants are in the way.
  exclude: [PROOF, '**/core/errors.test.ts'],
}

/** SQLite in the thread of the test. Other threads and processes run the built files, which have no mutants: tests of those alone are left out. */
const SQLITE: Suite = {
  name: 'sqlite',
  include: ['cli/{inspect,verify}.test.ts', 'stores/sqlite-*.test.ts'],
  exclude: [PROOF, '**/sqlite-{bundle,drivers,processes,thread-conformance}.test.ts'],
}

/** The core, the engine around its exchanges, and the SQLite store. */
export const AREAS: readonly MutationArea[] = [
  {
    name: 'settlement',
    files: /^core\/(settle-entry|row-draft|grant-takes|transition|maintain|open-epoch|standing|policies\/settle)\.ts$/,
    suite: TRANSITIONS,
    oneIn: 6,
  },
  { name: 'reservations', files: /^core\/reservations\//, suite: TRANSITIONS, oneIn: 4 },
  { name: 'core', files: /^core\//, suite: ENGINE, oneIn: 12 },
  { name: 'admission', files: /^engine\/admission\//, suite: ENGINE, oneIn: 8 },
  { name: 'accounts', files: /^engine\/rows\//, suite: ENGINE, oneIn: 6 },
  { name: 'waiters', files: /^engine\/requests\//, suite: ENGINE, oneIn: 3 },
  {
    name: 'composer',
    files: /^engine\/exchange\/(batch-\w+|in-flight-batch|lease-plan|send-queue)\.ts$/,
    suite: ENGINE,
    oneIn: 6,
  },
  { name: 'fencing', files: /^engine\/exchange\/fencing\.ts$/, suite: ENGINE, oneIn: 3 },
  {
    name: 'flusher',
    files: /^engine\/exchange\/(flush-scheduler|change-intake|exchange-listener|quarantine)\.ts$/,
    suite: ENGINE,
    oneIn: 6,
  },
  { name: 'answers', files: /^engine\/exchange\//, suite: ENGINE, oneIn: 6 },
  { name: 'session', files: /^engine\/session\//, suite: ENGINE, oneIn: 8 },
  { name: 'sqlite', files: /^stores\/sqlite\/(?!thread\/)/, suite: SQLITE, oneIn: 15 },
]

/** The area of a file below `packages/vsa/src`; undefined when its mutants are not tried. */
export function areaOf(path: string): MutationArea | undefined {
  return AREAS.find(({ files }) => files.test(path))
}
