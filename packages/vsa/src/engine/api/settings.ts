import type { Clock } from '../../core/clock.ts'
import type { Store } from '../../core/store.ts'
import type { Announce } from '../runtime/event-sink.ts'

/** The options of `open`, checked, with their defaults filled in. */
export interface OpenSettings {
  readonly store: Store
  readonly label: string
  readonly flushIntervalMs: number
  readonly deadlineMs: number
  readonly exchangeTimeoutMs: number
  readonly waitersMax: number
  readonly budgetsMax: number
  readonly onStoreUnavailable: 'throw' | 'deny' | 'allow'
  readonly thresholds: readonly number[]
  readonly announce: Announce
  readonly clock: Clock
  readonly random: () => number
}
