import { readFileSync, readlinkSync } from 'node:fs'

/** The living processes of this host, as far as they can be detected (S8). */
export interface ProcessTable {
  /** The name of this process, for `owner.process`; null when any part of it is unknown. */
  self(): string | null
  /** True only when the named process is known to be dead. */
  isGone(name: string | null): boolean
}

/** The identity of a process: it differs from that of every other process, also of a later one with the same pid. */
interface ProcessName {
  readonly bootId: string
  readonly pidNamespace: string
  /** The kernel tells start times in the time of the namespace that asks; null before Linux 5.6, which has one time. */
  readonly timeNamespace: string | null
  readonly pid: number
  /** In clock ticks since boot. */
  readonly startTime: string
}

interface ProcessStat {
  readonly pid: number
  readonly state: string
  readonly startTime: string
}

/** Reads `/proc`. Without it, `self` is null and no process is known to be dead. */
export function processTable(folder = '/proc', pid: number = process.pid): ProcessTable {
  const own = nameSelf(folder, pid)
  return {
    self: () => (own === null ? null : JSON.stringify(own)),
    isGone: (name) => {
      const other = name === null ? null : parseName(name)
      if (own === null || other === null) return false
      return isComparable(own, other) && isDead(folder, other)
    },
  }
}

function nameSelf(folder: string, pid: number): ProcessName | null {
  const bootId = attempt(() => readFileSync(`${folder}/sys/kernel/random/boot_id`, 'utf8').trim())
  const pidNamespace = attempt(() => readlinkSync(`${folder}/self/ns/pid`))
  const timeNamespace = attempt(() => readlinkSync(`${folder}/self/ns/time`)) ?? null
  const stat = readStat(`${folder}/self/stat`)
  // A different pid means that this /proc belongs to another namespace.
  if (bootId === undefined || pidNamespace === undefined || stat?.pid !== pid) return null
  return { bootId, pidNamespace, timeNamespace, pid, startTime: stat.startTime }
}

/** A different boot id or namespace proves nothing: it may be another machine on a shared file, another set of pids, another clock. */
function isComparable(own: ProcessName, other: ProcessName): boolean {
  const { bootId, pidNamespace, timeNamespace } = own
  return other.bootId === bootId && other.pidNamespace === pidNamespace && other.timeNamespace === timeNamespace
}

function isDead(folder: string, { pid, startTime }: ProcessName): boolean {
  const stat = readStat(`${folder}/${pid}/stat`)
  // A zombie has ended, and waits for its parent to reap it.
  if (stat !== undefined) return stat.startTime !== startTime || stat.state === 'Z' || stat.state === 'X'
  // /proc may hide the processes of other users, so the kernel is asked with signal 0.
  return !exists(pid)
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/** `pid (command) state ppid … starttime …`: the command may hold spaces and parentheses, so fields are counted from the last parenthesis. */
function readStat(path: string): ProcessStat | undefined {
  const line = attempt(() => readFileSync(path, 'utf8'))
  if (line === undefined) return undefined
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  const startTime = fields[19]
  const pid = Number.parseInt(line, 10)
  if (state === undefined || startTime === undefined || !Number.isInteger(pid)) return undefined
  return { pid, state, startTime }
}

function parseName(name: string): ProcessName | null {
  const value = attempt((): unknown => JSON.parse(name))
  if (typeof value !== 'object' || value === null) return null
  // Without it the name was written by an older version, and its start time may be in another time.
  if (!('timeNamespace' in value)) return null
  if (!('bootId' in value && 'pidNamespace' in value && 'pid' in value && 'startTime' in value)) return null
  const { bootId, pidNamespace, timeNamespace, pid, startTime } = value
  if (typeof bootId !== 'string' || typeof pidNamespace !== 'string' || typeof startTime !== 'string') return null
  if (timeNamespace !== null && typeof timeNamespace !== 'string') return null
  return Number.isSafeInteger(pid) && typeof pid === 'number' && pid > 0
    ? { bootId, pidNamespace, timeNamespace, pid, startTime }
    : null
}

/** A value that cannot be read is unknown. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
