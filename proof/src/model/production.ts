import type * as MaintainModule from '../../../packages/vsa/dist/core/maintain.js'
import type * as OpenEpochModule from '../../../packages/vsa/dist/core/open-epoch.js'
import type * as CompileModule from '../../../packages/vsa/dist/core/policies/compile.js'
import type * as TransitionModule from '../../../packages/vsa/dist/core/transition.js'
import type * as AdmissionControllerModule from '../../../packages/vsa/dist/engine/admission/admission-controller.js'
import type * as RefundsModule from '../../../packages/vsa/dist/engine/admission/refunds.js'
import type * as GateModule from '../../../packages/vsa/dist/engine/budget/gate.js'
import type * as AnswerHandlerModule from '../../../packages/vsa/dist/engine/exchange/answer-handler.js'
import type * as BatchBuilderModule from '../../../packages/vsa/dist/engine/exchange/batch-builder.js'
import type * as BatchEntriesModule from '../../../packages/vsa/dist/engine/exchange/batch-entries.js'
import type * as FencingModule from '../../../packages/vsa/dist/engine/exchange/fencing.js'
import type * as RecollectionModule from '../../../packages/vsa/dist/engine/exchange/recollection.js'
import type * as RefundWaitsModule from '../../../packages/vsa/dist/engine/exchange/refund-waits.js'
import type * as SendQueueModule from '../../../packages/vsa/dist/engine/exchange/send-queue.js'
import type * as RowRequestsModule from '../../../packages/vsa/dist/engine/requests/row-requests.js'
import type * as ChangeCallsModule from '../../../packages/vsa/dist/engine/requests/change-calls.js'
import type * as WaitQueueModule from '../../../packages/vsa/dist/engine/requests/wait-queue.js'
import type * as LeasedRowModule from '../../../packages/vsa/dist/engine/rows/leased-row.js'
import type * as MetricsModule from '../../../packages/vsa/dist/engine/runtime/metrics.js'
import type * as StateMachineModule from '../../../packages/vsa/dist/engine/session/state-machine.js'
import type * as LoadModule from '../../../packages/vsa/dist/stores/memory/load.js'
import type * as RowsModule from '../../../packages/vsa/dist/stores/memory/rows.js'
import type * as SaveModule from '../../../packages/vsa/dist/stores/memory/save.js'
import { moduleOf } from '../subject.ts'

/** The store's part of the production code. */
interface StoreProduction {
  readonly compilePolicy: typeof CompileModule.compilePolicy
  readonly openEpoch: typeof OpenEpochModule.openEpoch
  readonly transition: typeof TransitionModule.transition
  readonly maintain: typeof MaintainModule.maintain
  readonly UPKEEP_STEPS: typeof MaintainModule.UPKEEP_STEPS
  readonly MemoryRows: typeof RowsModule.MemoryRows
  readonly loadExchange: typeof LoadModule.loadExchange
  readonly loadUpkeep: typeof LoadModule.loadUpkeep
  readonly save: typeof SaveModule.save
}

/** The engine's part of the production code. */
interface EngineProduction {
  readonly advanceSession: typeof StateMachineModule.advanceSession
  readonly NOT_JOINED: StateMachineModule.SessionRecord
  readonly Gate: typeof GateModule.Gate
  readonly LeasedRow: typeof LeasedRowModule.LeasedRow
  readonly AdmissionController: typeof AdmissionControllerModule.AdmissionController
  readonly Refunds: typeof RefundsModule.Refunds
  readonly BatchBuilder: typeof BatchBuilderModule.BatchBuilder
  readonly entryOf: typeof BatchEntriesModule.entryOf
  readonly AnswerHandler: typeof AnswerHandlerModule.AnswerHandler
  readonly Fencing: typeof FencingModule.Fencing
  readonly ChangeCalls: typeof ChangeCallsModule.ChangeCalls
  readonly WaitQueue: typeof WaitQueueModule.WaitQueue
  readonly RequestTable: typeof RowRequestsModule.RequestTable
  readonly Recollection: typeof RecollectionModule.Recollection
  readonly RefundWaits: typeof RefundWaitsModule.RefundWaits
  readonly SendQueue: typeof SendQueueModule.SendQueue
  readonly Metrics: typeof MetricsModule.Metrics
}

/** The production code that the model runs: the shipped build, or a canary's copy of it. */
export type Production = StoreProduction & EngineProduction

/** @param folder a built library */
export async function productionOf(folder: string): Promise<Production> {
  return { ...(await storeProduction(folder)), ...(await engineProduction(folder)) }
}

async function storeProduction(folder: string): Promise<StoreProduction> {
  const { compilePolicy } = await moduleOf<typeof CompileModule>(folder, 'core/policies/compile.js')
  const { openEpoch } = await moduleOf<typeof OpenEpochModule>(folder, 'core/open-epoch.js')
  const { transition } = await moduleOf<typeof TransitionModule>(folder, 'core/transition.js')
  const { maintain, UPKEEP_STEPS } = await moduleOf<typeof MaintainModule>(folder, 'core/maintain.js')
  const { MemoryRows } = await moduleOf<typeof RowsModule>(folder, 'stores/memory/rows.js')
  const { loadExchange, loadUpkeep } = await moduleOf<typeof LoadModule>(folder, 'stores/memory/load.js')
  const { save } = await moduleOf<typeof SaveModule>(folder, 'stores/memory/save.js')
  return { compilePolicy, openEpoch, transition, maintain, UPKEEP_STEPS, MemoryRows, loadExchange, loadUpkeep, save }
}

async function engineProduction(folder: string): Promise<EngineProduction> {
  const of = <T>(file: string): Promise<T> => moduleOf<T>(folder, `engine/${file}.js`)
  const { advanceSession, NOT_JOINED } = await of<typeof StateMachineModule>('session/state-machine')
  const { Gate } = await of<typeof GateModule>('budget/gate')
  const { LeasedRow } = await of<typeof LeasedRowModule>('rows/leased-row')
  const { AdmissionController } = await of<typeof AdmissionControllerModule>('admission/admission-controller')
  const { Refunds } = await of<typeof RefundsModule>('admission/refunds')
  const { BatchBuilder } = await of<typeof BatchBuilderModule>('exchange/batch-builder')
  const { entryOf } = await of<typeof BatchEntriesModule>('exchange/batch-entries')
  const { AnswerHandler } = await of<typeof AnswerHandlerModule>('exchange/answer-handler')
  const { Fencing } = await of<typeof FencingModule>('exchange/fencing')
  const { ChangeCalls } = await of<typeof ChangeCallsModule>('requests/change-calls')
  const { WaitQueue } = await of<typeof WaitQueueModule>('requests/wait-queue')
  const { RequestTable } = await of<typeof RowRequestsModule>('requests/row-requests')
  const { Recollection } = await of<typeof RecollectionModule>('exchange/recollection')
  const { RefundWaits } = await of<typeof RefundWaitsModule>('exchange/refund-waits')
  const { SendQueue } = await of<typeof SendQueueModule>('exchange/send-queue')
  const { Metrics } = await of<typeof MetricsModule>('runtime/metrics')
  return {
    ...{ advanceSession, NOT_JOINED, Gate, LeasedRow, AdmissionController, Refunds, BatchBuilder, entryOf },
    ...{ AnswerHandler, Fencing, ChangeCalls, WaitQueue, RequestTable, Recollection, RefundWaits, SendQueue, Metrics },
  }
}
