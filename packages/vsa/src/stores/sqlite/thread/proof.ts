import { readFileSync } from 'node:fs'
import { StoreError } from '../../../core/errors.ts'

/*
 * A bundler moves `store-thread.js` away from the file of the thread. What lies there instead must not be run as the store's thread. The address is
 * computed, because webpack translates `new Worker(new URL('…', import.meta.url))` into a program that does not run.
 */

const THREAD_FILE = 'vsa-sqlite-thread.js'
/** In the file of the thread, and its first message. Names the version, because both threads must agree on their messages. */
export const THREAD_PROOF = 'vsa-sqlite-thread 0.1.0'

const REMEDY =
  'Pass `thread: false` to sqlite(), or leave vsa out of the bundle (as an external package of your bundler)'

/**
 * Finds the file of the thread, and checks that it is ours before anything in it runs.
 * @param base the address of the calling module; undefined in a CommonJS bundle
 * @throws StoreError `store_failed`, not transient
 */
export function threadFile(path: string, base: string | undefined): URL {
  if (base === undefined) throw noThread(path, 'this is a CommonJS bundle, which does not know its own address')
  const file = new URL(THREAD_FILE, base)
  const source = sourceOf(file)
  if (source === undefined) throw noThread(path, `there is no file ${file.href}`)
  if (!source.includes(THREAD_PROOF)) throw noThread(path, `${file.href} is not of this version of vsa`)
  return file
}

function sourceOf(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** The thread cannot run here, and trying again does not help. */
export function noThread(path: string, why: string, cause?: unknown): StoreError {
  const message = `the thread that would keep ${path} cannot start, as in a bundle: ${why}. ${REMEDY}`
  return new StoreError('store_failed', message, { applied: 'no', transient: false, cause })
}
