import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts processor time in these. */
const TICK_MS = 10

/** Processor time of a process and its children so far, also of those that have ended, in ms; null where the system does not tell. */
export function treeCpuMs(pid: number): number | null {
  try {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const stats = all.map(statOf).filter((stat) => stat !== null)
    const own = stats.filter((stat) => stat.pid === pid || stat.parent === pid)
    return own.reduce((sum, stat) => sum + stat.cpuMs, 0)
  } catch {
    return null
  }
}

function statOf(name: string): { pid: number; parent: number; cpuMs: number } | null {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'utf8')
    // The name of the program is in brackets and may have spaces.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0)
    return { pid: Number(name), parent: fields[1] ?? 0, cpuMs: ticks * TICK_MS }
  } catch {
    return null
  }
}
