import { tracingChannel } from 'node:diagnostics_channel'
import { type StoreError, invariant } from '../../core/errors.ts'
import type { Answer, Batch } from '../../core/exchange.ts'

/**
 * What became of one attempt of an exchange. `replayed`: an earlier attempt had been applied. `ambiguous`: it failed, or was not answered in time, and
 * may have been applied; the same batch is sent again. `fenced`: the epoch is over. `error`: it was surely not applied.
 */
export type ExchangeResult = 'ok' | 'replayed' | 'ambiguous' | 'fenced' | 'error'

/** The context object of the tracing channel `vsa.exchange`: one for each attempt. */
export interface ExchangeTraceContext {
  /** What `open` was told to call the process. */
  readonly label: string
  readonly epoch: number
  readonly seq: number
  /** 1, or more where the same batch is sent again. */
  readonly attempt: number
  /** Budget and counter rows that the batch names. */
  readonly entries: number
  /** Runs of equal requests that it carries. */
  readonly takes: number
  /** Changes of reservations that it carries. */
  readonly changes: number
  /** Budget and counter rows that the store wrote; 0 before its answer. */
  records: number
  /** Undefined before the end. */
  result?: ExchangeResult
  /** Where the attempt failed. Node sets it, too. */
  error?: unknown
}

const exchanges = tracingChannel<ExchangeTraceContext>('vsa.exchange')

/** One attempt, for those who listen to `tracing:vsa.exchange:start` and the others. It ends once, with the answer, the failure, or the time limit. */
export class ExchangeTrace {
  readonly #context: ExchangeTraceContext
  readonly #outcome: Promise<ExchangeResult>
  #end: (result: ExchangeResult) => void = () => undefined
  #fail: (error: StoreError) => void = () => undefined

  constructor(context: ExchangeTraceContext) {
    this.#context = context
    this.#outcome = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
  }

  /** Calls the store in the context that the listeners have bound. */
  run<T>(call: () => Promise<T>): Promise<T> {
    let made: Promise<T> | undefined
    const traced = exchanges.tracePromise(() => {
      made = call()
      return this.#outcome
    }, this.#context)
    traced.catch(() => undefined)
    invariant(made !== undefined, 'a traced call is made at once')
    return made
  }

  answered(answer: Answer): void {
    if (answer.kind === 'applied' || answer.kind === 'replayed') this.#context.records = answer.written.records
    this.#end(resultOf(answer))
  }

  failed(error: StoreError): void {
    this.#context.result = error.applied === 'no' ? 'error' : 'ambiguous'
    this.#fail(error)
  }
}

/** Undefined where nothing listens: then nothing is made. */
export function traceExchange(label: string, batch: Batch, attempt: number): ExchangeTrace | undefined {
  if (!exchanges.hasSubscribers) return undefined
  const { epoch, seq, entries, takes, changes = [] } = batch
  const sizes = { entries: entries.length, takes: takes.length, changes: changes.length }
  return new ExchangeTrace({ label, epoch, seq, attempt, ...sizes, records: 0 })
}

function resultOf({ kind }: Answer): ExchangeResult {
  switch (kind) {
    case 'applied':
      return 'ok'
    case 'replayed':
      return 'replayed'
    case 'fenced':
    case 'stale':
    case 'lost':
      return 'fenced'
    case 'breach':
      return 'error'
  }
}
