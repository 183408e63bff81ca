import type * as CompileModule from '../../../packages/vsa/dist/core/policies/compile.js'
import type * as MaintainModule from '../../../packages/vsa/dist/core/maintain.js'
import type * as OpenEpochModule from '../../../packages/vsa/dist/core/open-epoch.js'
import type * as TransitionModule from '../../../packages/vsa/dist/core/transition.js'
import type * as AccountModule from '../../../packages/vsa/dist/engine/account.js'
import type * as BacklogModule from '../../../packages/vsa/dist/engine/backlog.js'
import type * as ConversationModule from '../../../packages/vsa/dist/engine/conversation.js'
import type * as DeskModule from '../../../packages/vsa/dist/engine/desk.js'
import type * as FencingModule from '../../../packages/vsa/dist/engine/fencing.js'
import type * as GateModule from '../../../packages/vsa/dist/engine/gate.js'
import type * as SettlementModule from '../../../packages/vsa/dist/engine/settlement.js'
import type * as ShipmentModule from '../../../packages/vsa/dist/engine/shipment.js'
import type * as TallyModule from '../../../packages/vsa/dist/engine/tally.js'
import type * as WaitersModule from '../../../packages/vsa/dist/engine/waiters.js'
import type * as LoadModule from '../../../packages/vsa/dist/stores/memory/load.js'
import type * as RowsModule from '../../../packages/vsa/dist/stores/memory/rows.js'
import type * as SaveModule from '../../../packages/vsa/dist/stores/memory/save.js'
import { moduleOf } from '../subject.ts'

/** The production code that the model walks: the shipped build, or a canary's copy of it. */
export interface Production {
  readonly compilePolicy: typeof CompileModule.compilePolicy
  readonly openEpoch: typeof OpenEpochModule.openEpoch
  readonly transition: typeof TransitionModule.transition
  readonly maintain: typeof MaintainModule.maintain
  readonly MemoryRows: typeof RowsModule.MemoryRows
  readonly loadExchange: typeof LoadModule.loadExchange
  readonly loadUpkeep: typeof LoadModule.loadUpkeep
  readonly save: typeof SaveModule.save
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
  const { compilePolicy } = await moduleOf<typeof CompileModule>(folder, 'core/policies/compile.js')
  const { openEpoch } = await moduleOf<typeof OpenEpochModule>(folder, 'core/open-epoch.js')
  const { transition } = await moduleOf<typeof TransitionModule>(folder, 'core/transition.js')
  const { maintain } = await moduleOf<typeof MaintainModule>(folder, 'core/maintain.js')
  const { MemoryRows } = await moduleOf<typeof RowsModule>(folder, 'stores/memory/rows.js')
  const { loadExchange, loadUpkeep } = await moduleOf<typeof LoadModule>(folder, 'stores/memory/load.js')
  const { save } = await moduleOf<typeof SaveModule>(folder, 'stores/memory/save.js')
  const { converse, NOT_JOINED } = await moduleOf<typeof ConversationModule>(folder, 'engine/conversation.js')
  const { Gate } = await moduleOf<typeof GateModule>(folder, 'engine/gate.js')
  const { Account } = await moduleOf<typeof AccountModule>(folder, 'engine/account.js')
  const { Desk } = await moduleOf<typeof DeskModule>(folder, 'engine/desk.js')
  const { Loading, entryOf } = await moduleOf<typeof ShipmentModule>(folder, 'engine/shipment.js')
  const { Settlement } = await moduleOf<typeof SettlementModule>(folder, 'engine/settlement.js')
  const { Fencing } = await moduleOf<typeof FencingModule>(folder, 'engine/fencing.js')
  const { Waiters } = await moduleOf<typeof WaitersModule>(folder, 'engine/waiters.js')
  const { Backlog } = await moduleOf<typeof BacklogModule>(folder, 'engine/backlog.js')
  const { Tally } = await moduleOf<typeof TallyModule>(folder, 'engine/tally.js')
  return {
    ...{ compilePolicy, openEpoch, transition, maintain, MemoryRows, loadExchange, loadUpkeep, save },
    ...{ converse, NOT_JOINED, Gate, Account, Desk },
    ...{ Loading, entryOf, Settlement, Fencing, Waiters, Backlog, Tally },
  }
}
