/** What a store has been asked so far. Only differences count. Null: not measured there. */
export interface Counts {
  /** Statements of Postgres, scripts of Redis (commands, where no script is used), transactions of SQLite. */
  readonly calls: number
  /** Rows that were inserted, updated or deleted. Redis counts no fields. */
  readonly rows: number | null
  readonly bytesWritten: number | null
  readonly syncs: number | null
  /** Of the server's processes. That of SQLite is in the process which is measured. */
  readonly serverCpuMs: number | null
  /** Whether what all processes ask is in it. */
  readonly isWholeServer: boolean
}

export interface Meter {
  read(): Promise<Counts>
  end(): Promise<void>
}

export function difference(after: Counts, before: Counts): Counts {
  return {
    calls: after.calls - before.calls,
    rows: minus(after.rows, before.rows),
    bytesWritten: minus(after.bytesWritten, before.bytesWritten),
    syncs: minus(after.syncs, before.syncs),
    serverCpuMs: minus(after.serverCpuMs, before.serverCpuMs),
    isWholeServer: after.isWholeServer,
  }
}

function minus(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before
}
