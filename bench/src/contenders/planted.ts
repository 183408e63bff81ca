import type { Contender, Limiter } from './contender.ts'
import { plainMap } from './plain-map.ts'

/* Faults on purpose. The benchmark must refuse both. */

const EVERY = 1_000

/** Admits one in a thousand of what a Map denies, and counts it. */
export const overAdmits: Contender = {
  ...plainMap,
  name: 'planted-over-admits',
  title: 'a fault: admits too much',
  isPlanted: true,
  open: async (place, trace) => {
    const limiter = await plainMap.open(place, trace)
    const extra = new Float64Array(trace.names.length)
    let denials = 0
    const admit = (key: number, units: number): boolean => {
      if (limiter.admit(key, units) === true) return true
      denials += 1
      if (denials % EVERY !== 1) return false
      extra[key] = (extra[key] ?? 0) + units
      return true
    }
    return { ...limiter, admit, books: () => withExtra(limiter, extra) }
  },
}

/** Admits, and forgets to count one in a thousand. */
export const losesWrites: Contender = {
  ...plainMap,
  name: 'planted-loses-a-write',
  title: 'a fault: loses writes',
  isPlanted: true,
  open: async (place, trace) => {
    const limiter = await plainMap.open(place, trace)
    let asked = 0
    const admit = (key: number, units: number): boolean | Promise<boolean> => {
      asked += 1
      return asked % EVERY === 0 ? true : limiter.admit(key, units)
    }
    return { ...limiter, admit }
  },
}

async function withExtra(limiter: Limiter, extra: Float64Array): ReturnType<Limiter['books']> {
  const books = await limiter.books()
  return { ...books, used: books.used.map((units, key) => units + (extra[key] ?? 0)) }
}
