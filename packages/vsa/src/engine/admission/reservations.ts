import type { Decision } from '../../core/decision.ts'
import type { AdmitOptions, Need, Reservation } from '../api/public-types.ts'
import { type Charge, type Charging, LocalReservation } from '../budget/local-reservation.ts'
import type { Gate } from '../budget/gate.ts'
import type { GateNeed } from '../requests/pending-request.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { AdmissionController } from './admission-controller.ts'
import type { Decisions } from './decisions.ts'
import { split, tryingOptions } from './trials.ts'

/** Exchanges of one settlement beyond its units, which others who spend at the same time may make fail. */
const COVER_TRIES_MAX = 8

interface Charged {
  readonly gate: Gate
  readonly period: number | null
}

export interface ReservationParts {
  readonly admission: AdmissionController
  readonly decisions: Decisions
  readonly metrics: Metrics
}

/** Makes reservations in memory, and charges for them. */
export class Reservations implements Charging {
  readonly #parts: ReservationParts

  constructor(parts: ReservationParts) {
    this.#parts = parts
  }

  async reserve(handle: Gate, units: number, options?: AdmitOptions): Promise<Reservation | null> {
    const gate = handle.family.live(handle)
    const charge = await this.charge(gate, units, options)
    return charge && new LocalReservation(gate, units, charge.period)
  }

  /** @param merged what was asked for, over distinct gates */
  async reserveAll(
    asked: readonly Need[],
    merged: readonly GateNeed[],
    options?: AdmitOptions,
  ): Promise<readonly Reservation[] | null> {
    // A copy: the caller may use the list again meanwhile.
    const wanted = asked.map(([{ key }, units]) => ({ key, units }))
    const { others, onTrial } = split(merged)
    const charged = new Map<string, Charged>()
    if (others.length > 0) {
      const decision = await this.#parts.admission.decideAll(others, options)
      if (!decision.admitted) return null
      for (const { gate } of others) charged.set(gate.key, { gate, period: this.#periodOf(decision, gate) })
    }
    const trials = onTrial.map(async ({ gate, units }) => {
      // P7: whatever becomes of it, it does not refuse.
      const charge = await this.charge(gate, units, tryingOptions(options)).catch(() => null)
      charged.set(gate.key, { gate, period: charge?.period ?? null })
    })
    await Promise.all(trials)
    return wanted.flatMap(({ key, units }) => {
      const one = charged.get(key)
      return one === undefined ? [] : [new LocalReservation(one.gate, units, one.period)]
    })
  }

  /** Admits units for a reservation. Null: they are not there. */
  async charge(gate: Gate, units: number, options?: AdmitOptions): Promise<Charge | null> {
    const decision = await this.#parts.admission.decide(gate, units, options)
    return decision.admitted ? { units, period: this.#periodOf(decision, gate) } : null
  }

  /**
   * Charges what was used beyond a reservation, as far as it is there: first from the lease, then what the store has. @param add gets each part of it
   * @returns the units that are not there
   */
  async cover(gate: Gate, units: number, add: (charge: Charge) => void): Promise<number> {
    const { admission, metrics } = this.#parts
    const leased = admission.tries.spendLease(gate, units)
    if (leased !== null) add(leased)
    let left = units - (leased?.units ?? 0)
    let asked = left
    // Others were waited for once: from then on only what can be had at once is asked for.
    let hasWaited = false
    for (let tries = 0; asked > 0 && tries < COVER_TRIES_MAX; tries += 1) {
      const decision = await admission.decide(gate, asked)
      if (decision.admitted) {
        add({ units: asked, period: this.#periodOf(decision, gate) })
        left -= asked
      } else {
        // The settlement asks for as much as there is: no caller was denied.
        metrics.takeBackDenial(asked)
        hasWaited ||= decision.reason === 'reserved'
      }
      // As of the last answer. Others may be quicker.
      const there = hasWaited || decision.admitted ? admission.tries.poolOf(gate) : (decision.remaining ?? 0)
      asked = Math.min(left, Math.max(0, there))
    }
    metrics.uncoveredUnits += left
    return left
  }

  #periodOf(decision: Decision, { key }: Gate): number | null {
    const given = this.#parts.decisions.givenBack(decision, key)
    return given.kind === 'units' ? given.period : null
  }
}
