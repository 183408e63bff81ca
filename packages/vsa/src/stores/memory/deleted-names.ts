import { deletedKeysFrom, FORGOTTEN_KEYS_MAX } from '../../core/deleted-keys.ts'

/** P6: what is kept of deletions. */
export class DeletedNames {
  /** When each key was deleted, in store time, the earliest first. */
  readonly #keys = new Map<string, number>()
  /** Names of rows whose lease was deleted, by epochs that have not heard of it. */
  readonly #leases = new Map<number, Set<string>>()

  hasKey(key: string, time: number): boolean {
    return (this.#keys.get(key) ?? -Infinity) >= deletedKeysFrom(time)
  }

  hasLease(epoch: number, row: string): boolean {
    return this.#leases.get(epoch)?.has(row) === true
  }

  /** Forgets a few that were deleted long ago. @param time store time of the deletion, ms since 1970 */
  keepKey(key: string, time: number): void {
    // Behind those that were deleted before.
    this.#keys.delete(key)
    this.#keys.set(key, time)
    let forgotten = 0
    for (const [other, deletedAt] of this.#keys) {
      if (deletedAt >= deletedKeysFrom(time) || forgotten === FORGOTTEN_KEYS_MAX) break
      this.#keys.delete(other)
      forgotten += 1
    }
  }

  keepLease(epoch: number, row: string): void {
    const ofEpoch = this.#leases.get(epoch) ?? new Set<string>()
    this.#leases.set(epoch, ofEpoch.add(row))
  }

  hear(epoch: number, row: string): void {
    const ofEpoch = this.#leases.get(epoch)
    ofEpoch?.delete(row)
    if (ofEpoch?.size === 0) this.#leases.delete(epoch)
  }

  forget(epoch: number): void {
    this.#leases.delete(epoch)
  }
}
