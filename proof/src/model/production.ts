import type * as PlanModule from '../../../packages/vsa/dist/core/plan.js'
import type * as HousekeepingModule from '../../../packages/vsa/dist/core/housekeeping.js'
import type * as AccountModule from '../../../packages/vsa/dist/engine/rows/row-lease.js'
import type * as BacklogModule from '../../../packages/vsa/dist/engine/exchange/send-queue.js'
import type * as ConversationModule from '../../../packages/vsa/dist/engine/session/state-machine.js'
import type * as DeskModule from '../../../packages/vsa/dist/engine/admission/admission-controller.js'
import type * as FencingModule from '../../../packages/vsa/dist/engine/exchange/fencing.js'
import type * as GateModule from '../../../packages/vsa/dist/engine/budget/gate.js'
import type * as SettlementModule from '../../../packages/vsa/dist/engine/exchange/answer-handler.js'
import type * as ShipmentModule from '../../../packages/vsa/dist/engine/exchange/batch-builder.js'
import type * as TallyModule from '../../../packages/vsa/dist/engine/runtime/metrics.js'
import type * as WaitersModule from '../../../packages/vsa/dist/engine/requests/wait-queue.js'
import type * as LedgerModule from '../../../packages/vsa/dist/stores/memory/ledger.js'
import { moduleOf } from '../subject.ts'

/** The production code that the model walks: the shipped build, or a canary's copy of it. */
export interface Production {
  readonly compilePolicy: typeof PlanModule.compilePolicy
  readonly joinOwner: typeof HousekeepingModule.joinOwner
  readonly exchangeOn: typeof HousekeepingModule.exchangeOn
  readonly MemoryLedger: typeof LedgerModule.MemoryLedger
  readonly converse: typeof ConversationModule.converse
  readonly NOT_JOINED: ConversationModule.Conversation
  readonly Gate: typeof GateModule.Gate
  readonly Account: typeof AccountModule.Account
  readonly Desk: typeof DeskModule.Desk
  readonly Loading: typeof ShipmentModule.Loading
  readonly entryOf: typeof ShipmentModule.entryOf
  readonly Settlement: typeof SettlementModule.Settlement
  readonly Fencing: typeof FencingModule.Fencing
  readonly Waiters: typeof WaitersModule.Waiters
  readonly Backlog: typeof BacklogModule.Backlog
  readonly Tally: typeof TallyModule.Tally
}

/** @param folder a built library */
export async function productionOf(folder: string): Promise<Production> {
  const { compilePolicy } = await moduleOf<typeof PlanModule>(folder, 'core/plan.js')
  const { joinOwner, exchangeOn } = await moduleOf<typeof HousekeepingModule>(folder, 'core/housekeeping.js')
  const { MemoryLedger } = await moduleOf<typeof LedgerModule>(folder, 'stores/memory/ledger.js')
  const { converse, NOT_JOINED } = await moduleOf<typeof ConversationModule>(folder, 'engine/session/state-machine.js')
  const { Gate } = await moduleOf<typeof GateModule>(folder, 'engine/budget/gate.js')
  const { Account } = await moduleOf<typeof AccountModule>(folder, 'engine/rows/row-lease.js')
  const { Desk } = await moduleOf<typeof DeskModule>(folder, 'engine/admission/admission-controller.js')
  const { Loading, entryOf } = await moduleOf<typeof ShipmentModule>(folder, 'engine/exchange/batch-builder.js')
  const { Settlement } = await moduleOf<typeof SettlementModule>(folder, 'engine/exchange/answer-handler.js')
  const { Fencing } = await moduleOf<typeof FencingModule>(folder, 'engine/exchange/fencing.js')
  const { Waiters } = await moduleOf<typeof WaitersModule>(folder, 'engine/requests/wait-queue.js')
  const { Backlog } = await moduleOf<typeof BacklogModule>(folder, 'engine/exchange/send-queue.js')
  const { Tally } = await moduleOf<typeof TallyModule>(folder, 'engine/runtime/metrics.js')
  return {
    ...{ compilePolicy, joinOwner, exchangeOn, MemoryLedger, converse, NOT_JOINED, Gate, Account, Desk },
    ...{ Loading, entryOf, Settlement, Fencing, Waiters, Backlog, Tally },
  }
}
