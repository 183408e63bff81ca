import type { Decision } from '../../core/decision.ts'
import { invariant } from '../../core/errors.ts'
import type { Window } from '../../core/plan.ts'
import { assertUnits } from '../../core/units.ts'
import { assertId, checkRefundOptions, checkReserveOptions, type CheckedOptions } from '../api/arguments.ts'
import type { AdmitOptions, DurableReserve, GivenBack, Need, RefundOptions, Reservation } from '../api/public-types.ts'
import type { Settings } from '../api/settings.ts'
import {
  DurableReservation,
  type KnownReservation,
  type SendChange,
  type SettleWithin,
} from '../budget/durable-reservation.ts'
import { type Charge, LocalReservation } from '../budget/local-reservation.ts'
import type { Gate } from '../budget/gate.ts'
import type { GateNeed, Verdict, Waterfall } from '../requests/pending-request.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { type ReserveOutcome, type ReserveTraceContext, traceReserve } from '../runtime/reserve-trace.ts'
import type { AdmissionController } from './admission-controller.ts'
import type { Decisions } from './decisions.ts'
import type { Intents } from './intents.ts'
import type { MadeReservations } from './made-reservations.ts'
import type { ReservationCalls } from './reservation-calls.ts'
import { split, tryingOptions } from './trials.ts'

/** Exchanges of one settlement beyond its units, which others who spend at the same time may make fail. */
const COVER_TRIES_MAX = 8

interface Charged {
  readonly gate: Gate
  readonly window: Window | null
}

export interface ReservationParts {
  readonly settings: Settings
  readonly admission: AdmissionController
  readonly decisions: Decisions
  readonly calls: ReservationCalls
  readonly intents: Intents
  readonly metrics: Metrics
}

/** Makes reservations, in memory and in the store, and charges for those in memory. */
export class Reservations {
  readonly #parts: ReservationParts
  /** T1: of what is in no account nothing is written. */
  readonly #nothingWithin: SettleWithin = (_units, options) => this.#parts.intents.writeNothing(options)

  constructor(parts: ReservationParts) {
    this.#parts = parts
  }

  async reserve(handle: Gate, units: number, options?: AdmitOptions | DurableReserve): Promise<MadeReservations> {
    const checked = this.#checked(options)
    assertUnits('units', units)
    const gate = handle.family.live(handle)
    if (checked.remember !== undefined) {
      assertUnits('units', units, 1)
      return this.reserveInStore([{ gate, units }], checked)
    }
    const decision = await this.#parts.admission.decide(gate, units, options)
    if (!decision.admitted) return { decision, reservations: null }
    return { decision, reservations: [new LocalReservation(gate, units, this.#windowOf(decision, gate))] }
  }

  /** @param merged what was asked for, over distinct gates */
  async reserveAll(
    asked: readonly Need[],
    merged: readonly GateNeed[],
    options?: AdmitOptions | DurableReserve,
  ): Promise<MadeReservations> {
    const checked = this.#checked(options)
    // A copy: the caller may use the list again meanwhile.
    const wanted = asked.map(([{ key }, units]) => ({ key, units }))
    if (checked.remember !== undefined) return this.#reserveEach(wanted, merged, checked)
    const { others, onTrial } = split(merged)
    const charged = new Map<string, Charged>()
    let decision: Decision | undefined
    if (others.length > 0) {
      decision = await this.#parts.admission.decideAll(others, options)
      if (!decision.admitted) return { decision, reservations: null }
      for (const { gate } of others) charged.set(gate.key, { gate, window: this.#windowOf(decision, gate) })
    }
    const tried = await Promise.all(
      onTrial.map(async (need) => ({ gate: need.gate, trial: await this.#try(need, options) })),
    )
    for (const { gate, trial } of tried) {
      charged.set(gate.key, { gate, window: this.#windowOf(trial, gate) })
      decision ??= trial
    }
    invariant(decision !== undefined, 'needs name at least one budget')
    const reservations = wanted.flatMap(({ key, units }) => {
      const one = charged.get(key)
      return one === undefined ? [] : [new LocalReservation(one.gate, units, one.window)]
    })
    return { decision, reservations }
  }

  /**
   * R1: reservations that the store keeps, one for each need; with a waterfall one for all of them.
   * @param checked with `remember`
   */
  async reserveInStore(
    needs: readonly GateNeed[],
    checked: CheckedOptions,
    waterfall?: Waterfall,
  ): Promise<MadeReservations> {
    const { id: asked = '' } = checked.remember ?? {}
    const context = (): ReserveTraceContext => traceContext(needs, asked)
    const reserve = (): Promise<Verdict> => this.#parts.admission.reserve(needs, checked, waterfall)
    const verdict = await traceReserve(context, reserve, outcomeOf)
    const [first] = needs
    invariant(first !== undefined && verdict.kind !== 'failed', 'a failure rejects, and there is something to reserve')
    const decision = this.#parts.decisions.of(verdict, first, waterfall, needs)
    if (!decision.admitted) return { decision, reservations: null }
    const parts = waterfall === undefined ? needs : needs.slice(0, 1)
    const reservations = parts.map(({ gate, units }, at) =>
      verdict.kind === 'admitted'
        ? this.#handle(gate, checked, knownOf(verdict, units, at, waterfall))
        : // Nothing was set aside, so nothing is settled. Where the store did not answer in time, it may know the id after all.
          new LocalReservation(
            gate,
            units,
            null,
            isKnownDenied(verdict) ? this.#nothingWithin : this.#settleWithin(gate.key, asked),
          ),
    )
    return { decision, reservations }
  }

  /** One that was made before, by any process. @throws TypeError, RangeError that name `id` */
  known(handle: Gate, id: string): Reservation {
    assertId('id', id)
    return this.#made(handle.family.live(handle), id, null)
  }

  /** I2 */
  async refundOnce(gate: Gate, units: number, options: RefundOptions): Promise<GivenBack> {
    const { settings, calls } = this.#parts
    // It gives back once: none would use that up.
    assertUnits('units', units, 1)
    const { id, deadlineMs } = checkRefundOptions(options, settings.deadlineMs)
    return calls.refund(gate, units, id, deadlineMs)
  }

  /** Admits units for a reservation. Null: they are not there. */
  async charge(gate: Gate, units: number, options?: AdmitOptions): Promise<Charge | null> {
    const decision = await this.#parts.admission.decide(gate, units, options)
    return decision.admitted ? { units, window: this.#windowOf(decision, gate) } : null
  }

  /** As `Charging`. */
  async cover(gate: Gate, units: number, add: (charge: Charge) => void): Promise<number> {
    const left = await this.coverFrom(gate, units, add)
    this.#parts.metrics.uncoveredUnits += left
    return left
  }

  /**
   * Charges what was used beyond a reservation, as far as it is there: first from the lease, then what the store has, within two deadlines: others may be
   * waited for once, and asking again for what is there takes one more at most. @param add gets each part of it
   * @returns the units that are not there
   */
  async coverFrom(gate: Gate, units: number, add: (charge: Charge) => void): Promise<number> {
    const { admission, settings } = this.#parts
    const untilMs = settings.clock.monotonic() + 2 * settings.deadlineMs
    const leased = admission.tries.spendLease(gate, units)
    if (leased !== null) add(leased)
    let left = units - (leased?.units ?? 0)
    let asked = left
    // Others were waited for once: from then on only what can be had at once is asked for.
    let hasWaited = false
    for (let tries = 0; asked > 0 && tries < COVER_TRIES_MAX; tries += 1) {
      const deadlineMs = Math.min(settings.deadlineMs, Math.floor(untilMs - settings.clock.monotonic()))
      if (deadlineMs < 1) break
      const decision = await admission.decide(gate, asked, { deadlineMs })
      if (decision.admitted) {
        add({ units: asked, window: this.#windowOf(decision, gate) })
        left -= asked
      } else {
        // The settlement asks for as much as there is: no caller was denied.
        gate.metrics.takeBackDenial(asked, decision.reason)
        hasWaited ||= decision.reason === 'reserved'
      }
      // As of the last answer. Others may be quicker.
      const there = hasWaited || decision.admitted ? admission.tries.poolOf(gate) : (decision.remaining ?? 0)
      asked = Math.min(left, Math.max(0, there))
    }
    return left
  }

  /** Needs of the same budget were merged: they are one reservation. */
  async #reserveEach(
    wanted: readonly { readonly key: string }[],
    merged: readonly GateNeed[],
    checked: CheckedOptions,
  ): Promise<MadeReservations> {
    if (merged.length < wanted.length)
      throw new RangeError('needs must name each budget once where the store keeps the reservation')
    for (const [index, { units }] of merged.entries()) assertUnits(`needs[${index}][1]`, units, 1)
    const { others, onTrial } = split(merged)
    const made = others.length === 0 ? undefined : await this.reserveInStore(others, checked)
    if (made?.reservations === null) return made
    // The call was decided: its signal ends nothing any more.
    const trying = { ...checked, signal: undefined }
    const tried = await Promise.all(onTrial.map((need) => this.#tryInStore(need, trying)))
    const decision = made?.decision ?? tried[0]?.decision
    invariant(decision !== undefined, 'needs name at least one budget')
    const reservations = merged.flatMap((need) => {
      const at = onTrial.indexOf(need)
      return (at < 0 ? made?.reservations?.[others.indexOf(need)] : tried[at]?.reservations?.[0]) ?? []
    })
    return { decision, reservations }
  }

  /** P7, R1: one on trial is a reservation of its own under the id. Whatever becomes of it, it does not refuse. */
  async #tryInStore(need: GateNeed, checked: CheckedOptions): Promise<MadeReservations> {
    const failed = (): MadeReservations => ({
      decision: this.#parts.decisions.of({ kind: 'shadow', would: 'failed', row: null }, need),
      reservations: [new LocalReservation(need.gate, need.units, null, this.#nothingWithin)],
    })
    return this.reserveInStore([need], checked).catch(failed)
  }

  /** P7: whatever becomes of it, it does not refuse. */
  async #try(need: GateNeed, options: AdmitOptions | undefined): Promise<Decision> {
    const { admission, decisions } = this.#parts
    const failed = (): Decision => decisions.of({ kind: 'shadow', would: 'failed', row: null }, need)
    return admission.decide(need.gate, need.units, tryingOptions(options)).catch(failed)
  }

  #checked(options: AdmitOptions | DurableReserve = {}): CheckedOptions {
    return checkReserveOptions(options, this.#parts.settings.deadlineMs)
  }

  #handle(gate: Gate, { remember }: CheckedOptions, known: KnownReservation): Reservation {
    return this.#made(gate, remember?.id ?? '', known)
  }

  #made(gate: Gate, id: string, known: KnownReservation | null): Reservation {
    const send: SendChange = (change) => this.#parts.calls.change(gate, change)
    return new DurableReservation(gate.key, id, { send, settleWithin: this.#settleWithin(gate.key, id) }, known)
  }

  /** T1 */
  #settleWithin(key: string, id: string): SettleWithin {
    return (units, options) => this.#parts.intents.write({ op: 'settle', key, id, units }, options)
  }

  #windowOf(decision: Decision, gate: Gate): Window | null {
    return this.#parts.decisions.windowOf(decision, gate)
  }
}

/** P7: it was refused, so the id names nothing. */
function isKnownDenied(verdict: Verdict): boolean {
  return verdict.kind === 'shadow' && verdict.would === 'denied'
}

function traceContext(needs: readonly GateNeed[], id: string): ReserveTraceContext {
  return { keys: needs.map(({ gate }) => gate.key), units: needs.map(({ units }) => units), id }
}

function outcomeOf(verdict: Verdict): ReserveOutcome {
  switch (verdict.kind) {
    case 'admitted':
      return verdict.remembered?.repeated === true ? 'repeated' : 'reserved'
    case 'denied':
    case 'unavailable':
      return 'denied'
    case 'shadow':
    case 'unaccounted':
      return 'unrecorded'
    case 'failed':
      // A failure rejects.
      throw verdict.error
  }
}

/** What the answer told of one reservation of the request. Needs of no units have no answer. */
function knownOf(
  { remembered }: Extract<Verdict, { kind: 'admitted' }>,
  units: number,
  at: number,
  waterfall: Waterfall | undefined,
): KnownReservation {
  if (remembered === undefined) return { units, state: 'open' }
  const { state, states, charged } = remembered
  return {
    units: waterfall === undefined ? Math.max(units, charged[at] ?? 0) : remembered.units,
    state: states?.[at] ?? state,
  }
}
