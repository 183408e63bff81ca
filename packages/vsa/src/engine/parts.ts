import type { Accounts } from './accounts.ts'
import type { Backlog } from './backlog.ts'
import type { Session } from './session.ts'
import type { OpenSettings } from './settings.ts'
import type { Tally } from './tally.ts'
import type { Waiters } from './waiters.ts'

/** What the parts of one engine share. */
export interface Parts {
  readonly settings: OpenSettings
  readonly session: Session
  readonly accounts: Accounts
  readonly waiters: Waiters
  readonly backlog: Backlog
  readonly tally: Tally
}
