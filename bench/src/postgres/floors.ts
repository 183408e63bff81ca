import { atLeast, atMost, type Floor } from '../report/floor.ts'
import type { Calls } from './calls.ts'
import type { Drain } from './drain.ts'
import type { Durable } from './durable.ts'
import type { FlushOfSize } from './flush.ts'

/** stores.md section 8, and the issue: ratios inside one run. */
export interface PostgresParts {
  readonly flush?: readonly FlushOfSize[]
  readonly calls?: Calls
  readonly drain?: Drain
  readonly durable?: Durable
}

export function floorsOf({ flush = [], calls, drain, durable }: PostgresParts): readonly Floor[] {
  return [
    ...flush.map((one) => atMost(`times one upsert, ${one.budgets} budgets`, one.fastPathMs / one.upsertMs, 4.5)),
    ...(calls === undefined
      ? []
      : [atMost(`statements a second, ${calls.budgets} busy budgets`, calls.callsPerSecond, 12)]),
    ...(drain === undefined ? [] : [atMost(`exchanges of ${drain.processes} processes`, drain.exchanges, 300)]),
    ...(durable === undefined
      ? []
      : [
          atLeast('times an UPDATE for each, fast path', durable.fastPathPerSecond / durable.byHandPerSecond, 40),
          atLeast('times an UPDATE for each, general path', durable.generalPathPerSecond / durable.byHandPerSecond, 20),
        ]),
  ]
}
