import { OWNERS_KEPT_MS } from './maintain.ts'

/**
 * P6: that a key was deleted is kept for 7 days, so that an owner that knew its rows hears of it. After that a row that is not there is lost, of this key as of any other.
 * @param time store time, ms since 1970
 * @returns the earliest deletion that still counts, in store time
 */
export function deletedKeysFrom(time: number): number {
  return time - OWNERS_KEPT_MS
}

/** The most keys that one deletion forgets: more than one, so that no more are kept than were deleted within 7 days, and few, so that it takes no longer. */
export const FORGOTTEN_KEYS_MAX = 10
