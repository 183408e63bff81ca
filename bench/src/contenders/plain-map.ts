import { limitOf, type Trace } from '../workloads/trace.ts'
import { plainBooks, usedOf, type Contender, type Limiter } from './contender.ts'

/** Check and add in a Map: the ceiling of what JavaScript can do. */
export const plainMap: Contender = {
  name: 'map',
  title: 'a Map',
  group: 'in-memory',
  store: 'memory',
  durable: 'no',
  isExact: true,
  lacks: [],
  open: async (_, trace) => opened(trace),
}

function opened(trace: Trace): Limiter {
  const cells = new Map<string, { used: number; readonly limit: number }>()
  const cellOf = (key: number): { used: number; readonly limit: number } => {
    const name = trace.names[key] ?? ''
    const found = cells.get(name)
    if (found !== undefined) return found
    const made = { used: 0, limit: limitOf(trace, key) }
    cells.set(name, made)
    return made
  }
  return {
    admit: (key, units) => {
      const cell = cellOf(key)
      if (cell.used + units > cell.limit) return false
      cell.used += units
      return true
    },
    refund: (key, units) => void (cellOf(key).used -= units),
    close: async () => undefined,
    books: async () => plainBooks(usedOf(trace, (name) => cells.get(name)?.used ?? 0)),
  }
}
