import { cpus, loadavg } from 'node:os'

/** The machine on which the figures were measured. */
export interface Machine {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  /** Load average of the last minute, at the start. Above the number of cores, figures are not reliable. */
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
