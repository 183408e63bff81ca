import { existsSync, readFileSync } from 'node:fs'
import { StoreError } from '../../../core/errors.ts'

/* A bundler moves `store-thread.js` away from the file of the thread. What lies there instead must not be run as the store's thread. */

export const THREAD_FILE = 'vsa-sqlite-thread.js'
/** The first message of the thread, also to be found in its file. Names the version, because both threads must agree on their messages. */
export const THREAD_PROOF = 'vsa-sqlite-thread 0.1.0'

const REMEDY =
  'Pass `thread: false` to sqlite(), or leave vsa out of the bundle (as an external package of your bundler)'

/**
 * Checks the place where the file of the thread is expected, before anything there is run. A bundler may know a better place: then there is no file.
 * @param base the address of the calling module; undefined in a CommonJS bundle
 * @throws StoreError `store_failed`, not transient
 */
export function assertThreadFile(path: string, base: string | undefined): void {
  if (base === undefined) throw noThread(path, 'this is a CommonJS bundle, which does not know its own address')
  const file = new URL(THREAD_FILE, base)
  if (file.protocol !== 'file:' || !existsSync(file)) return
  if (!readFileSync(file, 'utf8').includes(THREAD_PROOF)) throw noThread(path, `${file.pathname} is not its file`)
}

/** The thread cannot run here, and trying again does not help. */
export function noThread(path: string, why: string, cause?: unknown): StoreError {
  const message = `the thread that would keep ${path} cannot start, as after bundling: ${why}. ${REMEDY}`
  return new StoreError('store_failed', message, { applied: 'no', transient: false, cause })
}
