import type * as Life from '../../../packages/vsa/dist/core/life.js'
import type * as Maintain from '../../../packages/vsa/dist/core/maintain.js'
import type * as OpenEpoch from '../../../packages/vsa/dist/core/open-epoch.js'
import type * as Compile from '../../../packages/vsa/dist/core/policies/compile.js'
import type * as Transition from '../../../packages/vsa/dist/core/transition.js'
import type * as Fate from '../../../packages/vsa/dist/engine/exchange/fate.js'
import type * as Recollection from '../../../packages/vsa/dist/engine/exchange/recollection.js'
import type * as StateMachine from '../../../packages/vsa/dist/engine/session/state-machine.js'
import type * as Load from '../../../packages/vsa/dist/stores/memory/load.js'
import type * as Rows from '../../../packages/vsa/dist/stores/memory/rows.js'
import type * as Save from '../../../packages/vsa/dist/stores/memory/save.js'
import { moduleOf } from '../subject.ts'

/** The production functions that the model of a store that forgets walks through. */
export type ForgettingProduction = typeof Life &
  Pick<typeof Maintain, 'maintain'> &
  Pick<typeof OpenEpoch, 'openEpoch'> &
  Pick<typeof Compile, 'compilePolicy'> &
  Pick<typeof Transition, 'transition'> &
  typeof Fate &
  typeof Recollection &
  Pick<typeof StateMachine, 'advanceSession' | 'NOT_JOINED'> &
  Pick<typeof Load, 'loadExchange' | 'loadUpkeep'> &
  Pick<typeof Rows, 'MemoryRows'> &
  Pick<typeof Save, 'save'>

export async function forgettingProductionOf(folder: string): Promise<ForgettingProduction> {
  return {
    ...(await moduleOf<typeof Life>(folder, 'core/life.js')),
    ...(await moduleOf<typeof Maintain>(folder, 'core/maintain.js')),
    ...(await moduleOf<typeof OpenEpoch>(folder, 'core/open-epoch.js')),
    ...(await moduleOf<typeof Compile>(folder, 'core/policies/compile.js')),
    ...(await moduleOf<typeof Transition>(folder, 'core/transition.js')),
    ...(await moduleOf<typeof Fate>(folder, 'engine/exchange/fate.js')),
    ...(await moduleOf<typeof Recollection>(folder, 'engine/exchange/recollection.js')),
    ...(await moduleOf<typeof StateMachine>(folder, 'engine/session/state-machine.js')),
    ...(await moduleOf<typeof Load>(folder, 'stores/memory/load.js')),
    ...(await moduleOf<typeof Rows>(folder, 'stores/memory/rows.js')),
    ...(await moduleOf<typeof Save>(folder, 'stores/memory/save.js')),
  }
}
