import { open, type Budget, type Policy, type Store } from 'vsa'
import { memory } from 'vsa/memory'
import { postgres } from 'vsa/postgres'
import { redis } from 'vsa/redis'
import { sqlite } from 'vsa/sqlite'
import { limitOf, type Trace } from '../workloads/trace.ts'
import { indexesOf, type Books, type Contender, type Limiter, type StoreKind } from './contender.ts'
import type { Place } from './place.ts'

const FAMILY = 'bench'
/** Of a stock, a crash may burn one in a hundred, as by default of a limit. */
const LEASED_SHARE = 0.01
const METERED_PARTS = 4
const CONNECTIONS = 4
const PAGE = 10_000

type Mode = 'leased' | 'durable'

/** VSA with its defaults: flushes every 100 ms. */
export function vsaContender(mode: Mode, store: StoreKind): Contender {
  return {
    name: `vsa-${mode}-${store}`,
    title: `VSA ${mode}`,
    group: `vsa-${mode}`,
    store,
    durable: store === 'memory' ? 'no' : mode === 'durable' ? 'answer' : 'bounded',
    isExact: true,
    lacks: [],
    open: async (place, trace) => limiter(place, trace, mode, store),
  }
}

function limiter(place: Place, trace: Trace, mode: Mode, kind: StoreKind): Limiter {
  const storeOf = storeMaker(place, kind)
  const vsa = open({ store: storeOf(), deadlineMs: 60_000, onEvent: () => undefined })
  const indexes = indexesOf(trace)
  const family = vsa.budgets(FAMILY, (name) => policyOf(trace, indexes.get(name) ?? 0, mode))
  const handles: Budget[] = Array.from({ length: trace.names.length })
  const handleOf = (key: number): Budget => (handles[key] ??= family.of(trace.names[key] ?? ''))
  const work = async (key: number, most: number, actual: number): Promise<boolean> => {
    const budget = handleOf(key)
    const reservation = (mode === 'leased' ? budget.tryReserve(most) : null) ?? (await budget.reserve(most))
    if (reservation === null) return false
    const part = Math.floor(actual / METERED_PARTS)
    for (let at = 1; at < METERED_PARTS; at += 1) reservation.meter(part)
    reservation.meter(actual - part * (METERED_PARTS - 1))
    await reservation.settle()
    return true
  }
  return {
    admit:
      mode === 'durable'
        ? (key, units) => handleOf(key).admit(units)
        : (key, units) => {
            const budget = handleOf(key)
            return budget.tryAdmit(units) || budget.admit(units)
          },
    refund: (key, units) => handleOf(key).refund(units),
    work,
    exchanges: () => vsa.stats().exchanges + vsa.stats().reads,
    figures: () => ({ operations: vsa.stats().operations, records: vsa.stats().records }),
    pause: () => vsa.flush({ returnLeases: true }),
    close: () => vsa.close(),
    books: () => booksOf(storeOf(), trace, indexes),
  }
}

function policyOf(trace: Trace, index: number, mode: Mode): Policy {
  const units = limitOf(trace, index)
  if (trace.workload.limit.kind === 'refill')
    return { limit: units, per: 'year', ...(mode === 'durable' && { atRisk: 0 }) }
  return { initial: units, ...(mode === 'leased' && { atRisk: Math.ceil(units * LEASED_SHARE) }) }
}

/** Makes the store, as often as it is called. In memory it is one. */
function storeMaker(place: Place, kind: StoreKind): () => Store {
  switch (kind) {
    case 'memory': {
      const store = memory()
      return () => store
    }
    case 'sqlite':
      return () => sqlite(place.path, { driver: 'libsql' })
    case 'postgres': {
      const pool = place.pool(CONNECTIONS)
      return () => postgres(pool, { schema: place.name })
    }
    case 'redis': {
      const client = place.redis({ enableAutoPipelining: false })
      return () => redis(client, { prefix: place.name, strict: true })
    }
  }
}

async function booksOf(store: Store, trace: Trace, indexes: ReadonlyMap<string, number>): Promise<Books> {
  const used = new Float64Array(trace.names.length)
  let [burned, missing] = [0, 0]
  let after: { readonly key: string; readonly period: number } | undefined
  do {
    const page = await store.list(after === undefined ? { limit: PAGE } : { after, limit: PAGE })
    after = page.rows.length < PAGE ? undefined : page.rows.at(-1)?.budget
    for (const { budget, leases } of page.rows) {
      const held = leases.reduce((sum, lease) => sum + lease.held, 0)
      used[indexes.get(budget.key.slice(FAMILY.length + 1)) ?? -1] = budget.used
      burned += budget.burned
      missing += Math.abs(budget.minted - budget.used - budget.pool - budget.burned) + held
    }
  } while (after !== undefined)
  return { used, burned, missing }
}
