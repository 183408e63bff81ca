import type { OwnerProcess } from './owner-process.ts'
import type { RunContext } from './run-context.ts'
import { Violation } from './violation.ts'
import type { Witness } from './witness.ts'

/** Closes processes, and holds what they are told of it to the rules. */
export class Closer {
  readonly #context: RunContext
  readonly #witness: Witness

  constructor(context: RunContext, witness: Witness) {
    this.#context = context
    this.#witness = witness
  }

  /** @param twice a second time at once, which must come to the same end */
  close(owner: OwnerProcess, deadlineMs: number, twice: boolean): void {
    const { trace, reached, audit, isExpected, fail } = this.#context
    owner.closing = true
    trace(() => `${owner.name} closes`)
    const epoch = owner.vsa.stats().epoch
    if (this.#witness.isUncertain(epoch)) reached.note('22 close while the answer is uncertain')
    const told = owner.requests.add('close', deadlineMs)
    const closed = owner.vsa.close({ deadlineMs })
    if (twice) {
      reached.note('22 close twice')
      if (owner.vsa.close() !== closed) fail(new Violation('O13', 'two closes have two ends'))
    }
    closed.then(
      () => {
        told()
        owner.closed = true
        trace(() => `${owner.name} is closed`)
        if (audit.epoch(epoch)?.end === null)
          fail(new Violation('S9', `${owner.name} is told that it is closed, and epoch ${epoch} is open`))
      },
      (error: unknown) => {
        told()
        owner.ambiguous = true
        trace(() => `${owner.name} close: ${String(error)}`)
        if (!isExpected(error)) fail(error)
      },
    )
  }
}
