import { assertUnits } from '../../core/units.ts'
import { checkMintOptions } from '../api/arguments.ts'
import { closedError, MINT_LATE, timeoutError } from '../api/errors.ts'
import type { InTransaction, MintOptions, PendingIntent } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import type { Gate } from '../budget/gate.ts'
import type { ChangeIntake } from '../exchange/change-intake.ts'
import type { PendingCalls } from '../requests/pending-calls.ts'
import type { Session } from '../session/session.ts'
import type { Intents } from './intents.ts'

export interface MintParts {
  readonly settings: Settings
  readonly session: Session
  readonly intake: ChangeIntake
  readonly intents: Intents
  readonly calls: PendingCalls
  /** O13: mints are refused from `close` on. */
  readonly isClosed: () => boolean
}

/** Creates units, once per id: checks the arguments, and waits for the store. */
export class Mints {
  readonly #parts: MintParts

  constructor(parts: MintParts) {
    this.#parts = parts
  }

  mint(handle: Gate, units: number, options: MintOptions & InTransaction): Promise<PendingIntent>
  mint(handle: Gate, units: number, options: MintOptions): Promise<boolean>
  async mint(
    handle: Gate,
    units: number,
    options: MintOptions & Partial<InTransaction>,
  ): Promise<boolean | PendingIntent> {
    const { settings, session, calls, intake, intents, isClosed } = this.#parts
    assertUnits('units', units)
    const id = checkMintOptions(options)
    const gate = handle.family.live(handle)
    const { key } = gate
    if (gate.plan.kind !== 'initial') {
      throw new TypeError(
        `mint is for budgets declared with { initial }; ${JSON.stringify(key)} has a limit per period`,
      )
    }
    if ('db' in options) return intents.write({ op: 'mint', key, id, units }, { db: options.db })
    if (isClosed()) throw closedError(key)
    const { deadlineMs } = settings
    const timedOut = (): Error =>
      timeoutError({ key, deadlineMs, applied: 'unknown', lastError: session.lastError, outcome: MINT_LATE })
    return intake.mint(gate, () => ({ mint: { units, id }, reply: calls.open({ key, deadlineMs, timedOut }) }))
  }
}
