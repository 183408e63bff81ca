import type { Decision } from '../../core/decision.ts'
import { assertUnits } from '../../core/units.ts'
import { checkReserveOptions } from '../api/arguments.ts'
import type { AdmitOptions, DurableReserve, Source } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import {
  type Charge,
  type ChargedSource,
  LocalReservation,
  NO_WINDOWS,
  type ReservedBudget,
} from '../budget/local-reservation.ts'
import type { CounterState } from '../budget/counter-state.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { AdmissionController } from './admission-controller.ts'
import type { Decisions } from './decisions.ts'
import type { MadeReservations } from './made-reservations.ts'
import { type SourceParts, type Sources, sourcesFrom } from './needs.ts'
import type { Reservations } from './reservations.ts'

export interface WaterfallParts {
  readonly settings: Settings
  readonly admission: AdmissionController
  readonly reservations: Reservations
  readonly decisions: Decisions
  readonly metrics: Metrics
  readonly sources: SourceParts
  /** Adds to a counter. */
  readonly book: (overage: CounterState, units: number) => void
}

/** V1 to V3: several sources in order, in one decision. */
export class Waterfalls {
  readonly #parts: WaterfallParts

  constructor(parts: WaterfallParts) {
    this.#parts = parts
  }

  async admitFirst(sources: readonly Source[], units: number, options?: AdmitOptions): Promise<boolean> {
    return this.#parts.admission.admitFirst(this.#sources(sources, units, options), options)
  }

  async decideFirst(sources: readonly Source[], units: number, options?: AdmitOptions): Promise<Decision> {
    return this.#parts.admission.decideFirst(this.#sources(sources, units, options), options)
  }

  async reserveFirst(
    sources: readonly Source[],
    units: number,
    options: AdmitOptions | DurableReserve = {},
  ): Promise<MadeReservations> {
    const { admission, reservations, settings } = this.#parts
    const checked = checkReserveOptions(options, settings.deadlineMs)
    const found = sourcesFrom(sources, units, this.#parts.sources)
    if (checked.remember !== undefined) {
      assertUnits('units', units, 1)
      return reservations.reserveInStore(found.needs, checked, found.waterfall)
    }
    const decision = await admission.decideFirst(found, options)
    if (!decision.admitted) return { decision, reservations: null }
    const charges = this.#chargesOf(found, decision, units)
    return { decision, reservations: [LocalReservation.of(this.#budgetOf(found), charges)] }
  }

  #sources(sources: readonly Source[], units: number, options: AdmitOptions | undefined): Sources {
    this.#parts.admission.check(options)
    return sourcesFrom(sources, units, this.#parts.sources)
  }

  /** Stands for all sources: each charge has its own. */
  #budgetOf(found: Sources): ReservedBudget {
    return {
      key: found.needs.map(({ gate }) => gate.key).join(' '),
      ...{ row: null, room: 0, roomMax: -1 },
      refund: () => undefined,
      giveBack: () => undefined,
      family: {
        slowPath: {
          charge: (_budget, units) => this.#charge(found, units),
          cover: (_budget, units, add) => this.#cover(found, units, add),
        },
      },
    }
  }

  async #charge(found: Sources, units: number): Promise<readonly Charge[] | null> {
    const decision = await this.#parts.admission.decideFirst(withUnits(found, units))
    return decision.admitted ? this.#chargesOf(found, decision, units) : null
  }

  /** R4: as much as there is, in order; an overage covers the rest. */
  async #cover({ needs, waterfall }: Sources, units: number, add: (charge: Charge) => void): Promise<number> {
    const { reservations, metrics } = this.#parts
    let left = units
    for (const { gate } of needs) {
      if (left > 0) left = await reservations.coverFrom(gate, left, (charge) => add({ ...charge, source: gate }))
    }
    if (left > 0 && waterfall.overage !== null) {
      this.#parts.book(waterfall.overage, left)
      add({ units: left, window: NO_WINDOWS, source: this.#overageOf(waterfall.overage) })
      left = 0
    }
    metrics.uncoveredUnits += left
    return left
  }

  #chargesOf({ needs, waterfall }: Sources, decision: Decision, units: number): readonly Charge[] {
    const { decisions } = this.#parts
    const { from } = decision
    // Without a record nothing of it can be given back.
    if (from === undefined) return [{ units, window: null }]
    return from.flatMap(({ key, units: share, period }): readonly Charge[] => {
      if (period === null && waterfall.overage !== null)
        return [{ units: share, window: NO_WINDOWS, source: this.#overageOf(waterfall.overage) }]
      const source = needs.find(({ gate }) => gate.key === key)?.gate
      if (source === undefined || period === null) return []
      return [{ units: share, window: decisions.windowIn(source, period) ?? null, source }]
    })
  }

  #overageOf(overage: CounterState): ChargedSource {
    const giveBack = (units: number): void => this.#parts.book(overage, -units)
    return {
      key: overage.key,
      ...{ row: null, room: 0, roomMax: -1 },
      refund: giveBack,
      giveBack,
    }
  }
}

/** The same sources for other units. Their gates may have been evicted meanwhile, and their keys have others (G5). */
function withUnits({ needs, waterfall }: Sources, units: number): Sources {
  const live = needs.map(({ gate }) => ({ gate: gate.family.live(gate), units }))
  return { needs: live, waterfall: waterfall.withUnits(units) }
}
