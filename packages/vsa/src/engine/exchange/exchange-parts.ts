import type { Accounts } from '../rows/lease-table.ts'
import type { Backlog } from './send-queue.ts'
import type { Session } from '../session/session.ts'
import type { OpenSettings } from '../api/settings.ts'
import type { Tally } from '../runtime/metrics.ts'
import type { Waiters } from '../requests/wait-queue.ts'

/** What the parts of one engine share. */
export interface Parts {
  readonly settings: OpenSettings
  readonly session: Session
  readonly accounts: Accounts
  readonly waiters: Waiters
  readonly backlog: Backlog
  readonly tally: Tally
}
