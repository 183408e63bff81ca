import { readFileSync } from 'node:fs'
import type { Meter } from './meter.ts'
import { sqliteCounts } from './sqlite-preload.ts'

/**
 * SQLite runs in the process that is measured. Bytes are those of its calls of `write`, as Linux counts them, with a little for other files. Syncs are not
 * counted by anything here: with synchronous=FULL there is one for each transaction that writes, and some for checkpoints.
 */
export function sqliteMeter(): Meter {
  return {
    read: async () => {
      const [calls, rows] = sqliteCounts()
      return { calls, rows, bytesWritten: writtenBytes(), syncs: null, serverCpuMs: 0, isWholeServer: false }
    },
    end: async () => undefined,
  }
}

function writtenBytes(): number | null {
  try {
    return Number(/^wchar: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  } catch {
    return null
  }
}
