import { cpus, loadavg } from 'node:os'

/** Where the figures come from: without it they mean nothing. */
export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  /** Of the last minute, as the run began: above the number of cores, figures say little. */
  readonly loadAtStart: number
}

export function machine(): Machine {
  const all = cpus()
  return {
    node: process.version,
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    loadAtStart: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}

export function machineLine({ node, cpu, cores, loadAtStart }: Machine): string {
  return `Node ${node}, ${cores} × ${cpu}, load ${loadAtStart}`
}
