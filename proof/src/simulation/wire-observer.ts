import type { Answer, Batch, Store, VsaEvent } from '../../../packages/vsa/dist/index.js'
import type { OwnerProcess } from './owner-process.ts'
import { rowName } from './process-totals.ts'
import type { RunContext } from './run-context.ts'
import { Violation } from './violation.ts'
import type { Violations } from './violations.ts'
import type { Wire } from './wire.ts'

/** Sees every exchange on the wires and every event of the engines: for the trace, for scenarios, and for the rules of {@link OwnerProcess.exchanges}. */
export class WireObserver {
  readonly #context: RunContext
  readonly #violations: Violations
  readonly #processes: readonly OwnerProcess[]
  /** Epochs whose last answer was lost. */
  readonly #uncertain = new Set<number>()

  constructor(context: RunContext, violations: Violations, processes: readonly OwnerProcess[]) {
    this.#context = context
    this.#violations = violations
    this.#processes = processes
  }

  /** Whether an answer to the epoch was lost, and no other has come since. */
  isUncertain(epoch: number | null): boolean {
    return epoch !== null && this.#uncertain.has(epoch)
  }

  answerLost(number: number, batch: Batch, answer: Answer): void {
    this.#context.trace(() => `the answer to ${this.#nameOf(number)} ${batch.seq} is lost: ${answer.kind}`)
    this.#uncertain.add(batch.epoch)
    if (answer.kind === 'applied' && batch.close) this.#context.scenarios.note('31 close whose answer is lost')
  }

  /** An engine's event. */
  onEvent(number: number, event: VsaEvent): void {
    const { trace, scenarios, setting, fail, audit } = this.#context
    const owner = this.#processes[number]
    trace(() => `${this.#nameOf(number)} event ${JSON.stringify(event)}`)
    switch (event.type) {
      case 'joined':
        if (owner !== undefined) this.#joined(owner, event.epoch)
        return
      case 'fenced':
        if (owner !== undefined) owner.fenced = true
        return
      case 'refunds_refused':
        owner?.totals.refused.add(rowName(event.key, event.period), event.units)
        return
      case 'policy_conflict':
        return scenarios.note('23 owners that disagree on a limit')
      case 'quarantined':
        if (event.key === setting.corrupt) return
        return fail(new Violation('L2', `a budget is quarantined without a cause: ${JSON.stringify(event)}`))
      case 'additions_lost':
        if (owner?.forgotten === true) {
          owner.totals.added.add(event.key, -event.sum)
          return
        }
        return this.#didNotHappen(event)
      case 'deleted':
        if (owner === undefined) return
        return this.#violations.attempt(() => audit.deletions.reported(owner.epoch, owner.totals, event))
      case 'row_lost':
        // Of a key that was deleted, a week later: the audit checks that.
        if (audit.deletions.timesOf(event.key) > 0) return
        return this.#didNotHappen(event)
      case 'store_forgot':
      case 'intent_dropped':
        return this.#didNotHappen(event)
      case 'clock_leap':
        return scenarios.note('5 an engine reports a leap of store time')
      case 'internal_error':
        return fail(event.error)
      case 'burned':
      case 'burn_limit':
      case 'cost_above_lease':
      case 'store_away':
      case 'store_back':
      case 'threshold':
      case 'counter_overflow':
      case 'clock_differs':
      case 'policy_changed':
    }
  }

  #didNotHappen(event: VsaEvent): void {
    this.#context.fail(new Violation('L3', `the engine reports an event that did not happen: ${JSON.stringify(event)}`))
  }

  /** S9: a closed epoch stays closed, also when the answer was lost: its process joins no other, while the store can tell it. */
  #joined(owner: OwnerProcess, epoch: number): void {
    const { audit, fail } = this.#context
    const left = audit.epoch(owner.epoch)
    if (left?.end === 'closed' && !left.isForgotten) {
      fail(new Violation('S9', `${owner.name} had closed epoch ${owner.epoch}, and joined ${epoch}`))
    }
    owner.epoch = epoch
    audit.own(epoch, owner.totals)
  }

  /** The wire of a process, observed. */
  observed(wire: Wire, number: number): Store {
    /** Rows that this process has marked as wanted. */
    const wanted = new Set<string>()
    const { upkeep } = wire
    return {
      ...(upkeep === undefined ? {} : { upkeep }),
      capabilities: wire.capabilities,
      exchange: (batch) => this.#exchange(wire, number, batch, wanted),
      join: (label) => wire.join(label),
      delete: async (key) => {
        const isDone = await wire.delete(key)
        if (isDone) this.#processes[number]?.deletions.answered.push(key)
        return isDone
      },
      read: async (names) => {
        const rows = await wire.read(names)
        this.#processes[number]?.exchanges.looked(rows)
        return rows
      },
      list: () => wire.list(),
      owners: () => wire.owners(),
      close: () => wire.close(),
    }
  }

  #exchange(wire: Wire, number: number, batch: Batch, wanted: Set<string>): Promise<Answer> {
    const { trace } = this.#context
    const owner = this.#processes[number]
    trace(() => `${this.#nameOf(number)} sends ${JSON.stringify(batch)}`)
    this.#violations.attempt(() => owner?.exchanges.sending(batch))
    const answered = wire.exchange(batch)
    answered.then(
      (answer) => {
        trace(() => `${this.#nameOf(number)} receives ${JSON.stringify(answer)}`)
        owner?.exchanges.heard(batch, answer, owner.machine.monotonic(), owner.requests.standstills)
        // Its clock has leapt by more than a week. The audit checks that.
        if (owner !== undefined && answer.kind === 'fenced' && answer.last === null) owner.forgotten = true
        this.#noteAnswer(batch, answer)
        this.#noteGrants(batch, answer, wanted)
      },
      () => undefined,
    )
    return answered
  }

  #noteAnswer({ epoch }: Batch, { kind }: Answer): void {
    if (kind === 'replayed') this.#context.scenarios.note('1 answer lost, batch repeated')
    if (kind === 'applied' || kind === 'replayed') this.#uncertain.delete(epoch)
  }

  #noteGrants({ entries, takes }: Batch, answer: Answer, wanted: Set<string>): void {
    if (answer.kind !== 'applied') return
    const { scenarios } = this.#context
    for (const [at, { need }] of takes.entries()) {
      const entry = entries[need[0]?.[0] ?? -1]
      if (entry?.kind !== 'budget' || (answer.granted[at] ?? 0) === 0) continue
      if (wanted.delete(rowName(entry.key, entry.period))) scenarios.note('10 last units were leased to another')
    }
    for (const entry of entries)
      if (entry.kind === 'budget' && entry.wantMs > 0) wanted.add(rowName(entry.key, entry.period))
    const isPartial =
      takes.length > 1 &&
      answer.granted.some((granted) => granted > 0) &&
      takes.some(({ n }, at) => n > (answer.granted[at] ?? 0))
    if (isPartial) scenarios.note('26 the first in line of several costs')
  }

  /** A process may send before it is in the process list. */
  #nameOf(number: number): string | number {
    return this.#processes[number]?.name ?? number
  }
}
