import type { Answer, Batch, Store, VsaEvent } from '../../../packages/vsa/dist/index.js'
import type { OwnerProcess } from './owner-process.ts'
import { rowName } from './process-books.ts'
import type { RunContext } from './run-context.ts'
import { Violation } from './violation.ts'
import type { Wire } from './wire.ts'

/** Sees what passes on the wires, and hears what the engines say: for the trace, and for scenarios and laws that show nowhere else. */
export class Witness {
  readonly #context: RunContext
  readonly #processes: readonly OwnerProcess[]
  /** Epochs whose last answer was lost. */
  readonly #uncertain = new Set<number>()

  constructor(context: RunContext, processes: readonly OwnerProcess[]) {
    this.#context = context
    this.#processes = processes
  }

  /** Whether an answer to the epoch was lost, and no other has come since. */
  isUncertain(epoch: number | null): boolean {
    return epoch !== null && this.#uncertain.has(epoch)
  }

  answerLost(number: number, batch: Batch, answer: Answer): void {
    this.#context.trace(() => `the answer to ${this.#nameOf(number)} ${batch.seq} is lost: ${answer.kind}`)
    this.#uncertain.add(batch.epoch)
    if (answer.kind === 'applied' && batch.close) this.#context.reached.note('31 close whose answer is lost')
  }

  /** An engine's event. */
  heard(number: number, event: VsaEvent): void {
    const { trace, reached, setting, fail } = this.#context
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
        owner?.books.refused.add(rowName(event.key, event.period), event.units)
        return
      case 'policy_conflict':
        return reached.note('23 owners that disagree on a limit')
      case 'quarantined':
        if (event.key === setting.corrupt) return
        return fail(new Violation('L2', `quarantined without a reason: ${JSON.stringify(event)}`))
      case 'store_forgot':
      case 'row_lost':
        return fail(new Violation('L3', `the engine says what cannot be: ${JSON.stringify(event)}`))
      case 'burned':
      case 'burn_limit':
      case 'store_away':
      case 'store_back':
      case 'threshold':
      case 'counter_overflow':
    }
  }

  /** S9: whoever has closed its epoch is closed, also where the answer was lost: it opens no other. */
  #joined(owner: OwnerProcess, epoch: number): void {
    const { audit, fail } = this.#context
    if (audit.epoch(owner.epoch)?.end === 'closed') {
      fail(new Violation('S9', `${owner.name} had closed epoch ${owner.epoch}, and opens ${epoch}`))
    }
    owner.epoch = epoch
    audit.own(epoch, owner.books)
  }

  /** The wire of a process, with the witness beside it. */
  beside(wire: Wire, number: number): Store {
    const { trace } = this.#context
    /** Rows that this process has marked as wanted. */
    const wanted = new Set<string>()
    const exchange = (batch: Batch): Promise<Answer> => {
      trace(() => `${this.#nameOf(number)} sends ${JSON.stringify(batch)}`)
      const heard = wire.exchange(batch)
      heard.then(
        (answer) => {
          trace(() => `${this.#nameOf(number)} hears ${JSON.stringify(answer)}`)
          this.#answered(batch, answer)
          this.#noteGrants(batch, answer, wanted)
        },
        () => undefined,
      )
      return heard
    }
    return {
      capabilities: wire.capabilities,
      exchange,
      join: (label) => wire.join(label),
      read: (names) => wire.read(names),
      list: () => wire.list(),
      owners: () => wire.owners(),
      close: () => wire.close(),
    }
  }

  #answered({ epoch }: Batch, { kind }: Answer): void {
    if (kind === 'replayed') this.#context.reached.note('1 answer lost, batch repeated')
    if (kind === 'applied' || kind === 'replayed') this.#uncertain.delete(epoch)
  }

  #noteGrants({ entries, takes }: Batch, answer: Answer, wanted: Set<string>): void {
    if (answer.kind !== 'applied') return
    const { reached } = this.#context
    for (const [at, { need }] of takes.entries()) {
      const entry = entries[need[0]?.[0] ?? -1]
      if (entry?.kind !== 'budget' || (answer.granted[at] ?? 0) === 0) continue
      if (wanted.delete(rowName(entry.key, entry.period))) reached.note('10 last units were leased to another')
    }
    for (const entry of entries)
      if (entry.kind === 'budget' && entry.wantMs > 0) wanted.add(rowName(entry.key, entry.period))
    const isPartial =
      takes.length > 1 &&
      answer.granted.some((granted) => granted > 0) &&
      takes.some(({ n }, at) => n > (answer.granted[at] ?? 0))
    if (isPartial) reached.note('26 the first in line of several costs')
  }

  /** A process speaks before it is among the others. */
  #nameOf(number: number): string | number {
    return this.#processes[number]?.name ?? number
  }
}
