import type { OwnerProcess } from './owner-process.ts'
import type { RunContext } from './run-context.ts'
import { Violation } from './violation.ts'
import type { WireObserver } from './wire-observer.ts'

/** Closes processes, and checks the outcome against S9 and O13. */
export class ProcessCloser {
  readonly #context: RunContext
  readonly #observer: WireObserver

  constructor(context: RunContext, observer: WireObserver) {
    this.#context = context
    this.#observer = observer
  }

  /** @param twice calls `close` again at once, which must return the same promise */
  close(owner: OwnerProcess, deadlineMs: number, twice: boolean): void {
    const { trace, scenarios, audit, isExpected, fail } = this.#context
    owner.closing = true
    trace(() => `${owner.name} closes`)
    const { epoch } = owner.vsa.stats()
    if (this.#observer.isUncertain(epoch)) scenarios.note('22 close while the answer is uncertain')
    const onSettled = owner.requests.add('close', deadlineMs)
    const closed = owner.vsa.close({ deadlineMs })
    if (twice) {
      scenarios.note('22 close twice')
      if (owner.vsa.close() !== closed) fail(new Violation('O13', 'two closes return two promises'))
    }
    closed
      .then(
        () => {
          owner.closed = true
          trace(() => `${owner.name} is closed`)
          onSettled()
          if (audit.epoch(epoch)?.end === null)
            throw new Violation('S9', `${owner.name} reports that it is closed, and epoch ${epoch} is open`)
        },
        (error: unknown) => {
          owner.ambiguous = true
          trace(() => `${owner.name} close: ${String(error)}`)
          onSettled()
          if (!isExpected(error)) throw error
        },
      )
      .catch(fail)
  }
}
