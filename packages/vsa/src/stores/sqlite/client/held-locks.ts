import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'

/** The lock that every connection in WAL mode holds on the database as long as it is open, and the one on its `-shm` file: first and last byte. */
export const DATABASE_LOCK = '1073741826 1073742335'
export const SHM_LOCK = '128 128'

/** More than the kernel writes about a descriptor with the few locks that SQLite takes. */
const BUFFER_BYTES = 4_096

/** One lock that SQLite holds for this process. */
export interface HeldLock {
  /** One read of some microseconds. */
  isHeld(): boolean
  close(): void
}

/**
 * Finds a lock of this process where Linux shows it: in `/proc/self/fdinfo`, for the descriptor that took it.
 * @param path of the locked file, with symbolic links resolved
 * @returns undefined when no descriptor of the file has the lock, or where this cannot be seen
 */
export function findLock(path: string, range: string, folder = '/proc/self'): HeldLock | undefined {
  let descriptor = pin(path, range, folder)
  if (descriptor === undefined) return undefined
  return {
    isHeld: () => {
      if (descriptor !== undefined && shows(descriptor, range)) return true
      // SQLite may hold the lock through another descriptor of the file now.
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = pin(path, range, folder)
      return descriptor !== undefined
    },
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
    },
  }
}

/** A descriptor of the kernel's text about the descriptor that has the lock. It is no descriptor of the file itself. */
function pin(path: string, range: string, folder: string): number | undefined {
  for (const name of descriptorsOf(path, folder)) {
    const descriptor = attempt(() => openSync(`${folder}/fdinfo/${name}`, 'r'))
    if (descriptor === undefined) continue
    if (shows(descriptor, range)) return descriptor
    closeSync(descriptor)
  }
  return undefined
}

function descriptorsOf(path: string, folder: string): readonly string[] {
  const names = attempt(() => readdirSync(`${folder}/fd`)) ?? []
  return names.filter((name) => attempt(() => readlinkSync(`${folder}/fd/${name}`)) === path)
}

const buffer = Buffer.alloc(BUFFER_BYTES)

/** `lock: 1: POSIX  ADVISORY  READ 7898 fe:00:2285636 1073741826 1073742335` */
function shows(descriptor: number, range: string): boolean {
  const bytes = attempt(() => readSync(descriptor, buffer, 0, BUFFER_BYTES, 0)) ?? 0
  return buffer.toString('latin1', 0, bytes).includes(` ${range}\n`)
}

/** What cannot be read is not there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
