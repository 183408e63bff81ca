import type { KeyName } from './keys.ts'
import type { StoreState } from './state.ts'

/** Members of a sorted set, as `ZLEXCOUNT` takes them. */
export interface MemberRange {
  readonly key: KeyName
  readonly first: string
  readonly last: string
  readonly count: number
}

/** What a save must find unchanged, and what it must know of the rows that were loaded. Nothing stands for a field that is not there. */
export class Loaded {
  readonly state: StoreState
  /** By epoch. */
  readonly owners: Map<number, Buffer | undefined> = new Map()
  /** By field of the hash `b`. */
  readonly budgets: Map<string, Buffer | undefined> = new Map()
  readonly counters: Map<string, Buffer | undefined> = new Map()
  /** By field of the hash `r`. */
  readonly reservations: Map<string, Buffer | undefined> = new Map()
  /** Units by `leaseNameOf`. */
  readonly held: Map<string, number> = new Map()

  /** Ranges of indexes that must have so many members. */
  readonly ranges: MemberRange[] = []

  constructor(state: StoreState) {
    this.state = state
  }

  owner(epoch: number, bytes: Buffer | undefined): void {
    this.owners.set(epoch, bytes)
  }

  budget(field: string, bytes: Buffer | undefined): void {
    this.budgets.set(field, bytes)
  }

  counter(key: string, value: Buffer | undefined): void {
    this.counters.set(key, value)
  }

  reservation(field: string, bytes: Buffer | undefined): void {
    this.reservations.set(field, bytes)
  }

  lease(name: string, held: number): void {
    this.held.set(name, held)
  }
}
