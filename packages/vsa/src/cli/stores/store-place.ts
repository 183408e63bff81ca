import type { Inspection } from '../../core/inspection.ts'
import type { Store } from '../../core/store.ts'

/** Where a store is kept: a file, a schema of a database, or a prefix of keys. Each kind of store has one module that makes these, listed in `place-of.ts`. */
export interface StorePlace {
  /** For texts and JSON: as it was typed, without a password. */
  readonly name: string
  /** As it was typed: for the command line of another process. May have a password, so it is never printed. */
  readonly address: string
  /** What `verify` says of the place beside its rows. */
  readonly verdicts: PlaceVerdicts
  /** @throws CommandError `store_exists` where there is a store with rows: the rows of two runs must not be mixed */
  assertNew(): Promise<void>
  /** Runs `work` with a store, which `work` closes, and releases then what the store needed. */
  withStore<T>(options: PlaceOptions, work: (store: Store) => Promise<T>): Promise<T>
  /** A store that goes by a clock of the caller's; absent where only the server tells the time. `close` of the store releases all of it. */
  readonly onClock?: (options: ClockedOptions) => Store
  /** Opens the rows for reading. @throws CommandError, StoreError */
  inspect(): Promise<Inspection>
  /** Whether an error of the inspection says that the place is damaged. */
  isDamage(error: unknown): boolean
  /** Absent where the first call of an engine needs no more rights than every other. */
  readonly migration?: Migration
}

export interface PlaceVerdicts {
  /** When `integrity` finds nothing. */
  readonly sound: string
  /** Before what `integrity` finds. */
  readonly damaged: string
}

export interface PlaceOptions {
  /** How long an owner lives after each exchange, in ms, 1 to 86,400,000. Default of the store: 10,000. */
  readonly leaseTtlMs?: number
}

export interface ClockedOptions {
  /** As in `PlaceOptions`. */
  readonly leaseTtlMs: number
  /** Ms since 1970. */
  readonly now: () => number
}

/** The tables of a store on a server. */
export interface Migration {
  /** The statements that `run` sends, as a script. */
  readonly script: string
  /** Makes what is missing, and changes what is of an older version. Idempotent; several may run at once. @throws StoreError */
  run(): Promise<Migrated>
}

export interface Migrated {
  /** Of the tables. */
  readonly version: number
  /** Whether this run has made them. */
  readonly isMade: boolean
  /** Whether this run has changed tables of an older version. */
  readonly isMigrated: boolean
}
