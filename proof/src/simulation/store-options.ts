/*
 * The assumptions of this harness about the stores under test. When the stores change, only this file must change.
 */

/** Rows that one slice of upkeep burns or removes at most. Scripts with many rows pass it. */
export const UPKEEP_ROWS_MAX = 200
/** Rows that one answer names as wanted at most; the next answer names the rest. */
export const WANTED_ROWS_MAX = 1_000
/** Entries of one batch at most. */
export const BATCH_ENTRIES_MAX = 1_000

/** Whether the harness sees what the store keeps of reservations: not on a thread of its own. @param store as a script names it */
export function keepsReservations(store: string): boolean {
  return store !== 'sqlite-thread'
}

/** The option that makes slices of upkeep small enough for a test. */
export function upkeepOption(): { readonly upkeepRowsMax: number } {
  return { upkeepRowsMax: UPKEEP_ROWS_MAX }
}

/** Store time for a store on a thread of its own: one Float64, ms since 1970. */
export interface SharedTime {
  readonly buffer: SharedArrayBuffer
}

/** The harness's side of a {@link SharedTime}. */
export class SharedClock implements SharedTime {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)
  readonly #time: Float64Array = new Float64Array(this.buffer)

  set(time: number): void {
    this.#time[0] = time
  }
}
