import type { RowView } from '../budget/row-view.ts'
import { CallList } from '../runtime/call-list.ts'
import type { MintRequest } from './mint-request.ts'
import type { RowCall } from './policy-call.ts'
import type { PendingRequest } from './pending-request.ts'

/** What waits for the exchanges of one row alone: durable admissions spent from its lease (O9), and mints. */
export class RowRequests {
  /** Durable admissions spent since the last send. */
  unsent: PendingRequest[] = []
  /** Durable admissions whose spending the exchange in flight carries. */
  sent: PendingRequest[] = []
  readonly mints: CallList<MintRequest> = new CallList(({ reply }) => reply.settled)
  /** The mint that the exchange in flight carries. */
  mintSent: MintRequest | null = null

  /** Changes of the policy, and resets. */
  readonly calls: CallList<RowCall> = new CallList(({ reply }) => reply.settled)
  /** Those that the exchange in flight carries. */
  callsSent: RowCall[] = []

  /** The answer to the next exchange of the row is awaited. */
  get isAwaited(): boolean {
    return this.unsent.length > 0 || this.mints.length > 0 || this.calls.length > 0
  }

  /** A mint has no answer yet: the row may have more units soon. */
  get isMinting(): boolean {
    return this.mintSent !== null || this.mints.length > 0
  }

  /** The next exchange of the row carries another policy. */
  get changesPolicy(): boolean {
    return this.calls.some(({ kind, reply }) => kind === 'policy' && !reply.settled)
  }

  takeCallsSent(): readonly RowCall[] {
    const { callsSent } = this
    this.callsSent = []
    return callsSent
  }

  /** All of it goes in flight, but one mint at a time. @returns the mint that the entry carries */
  send(): MintRequest | null {
    this.callsSent = this.calls.takeAll().filter(({ reply }) => !reply.settled)
    this.sent = this.unsent
    this.unsent = []
    this.mintSent = this.mints.takeFirst()
    return this.mintSent
  }

  /** The mint in flight, which has an answer now. */
  takeMintSent(): MintRequest | null {
    const mint = this.mintSent
    this.mintSent = null
    return mint
  }

  takeSent(): readonly PendingRequest[] {
    const { sent } = this
    this.sent = []
    return sent
  }

  takeUnsent(): readonly PendingRequest[] {
    const { unsent } = this
    this.unsent = []
    return unsent
  }
}

/** The requests of each row that has any. */
export class RequestTable {
  readonly #byRow = new Map<RowView, RowRequests>()

  /** Undefined when the row has none. */
  find(row: RowView): RowRequests | undefined {
    return this.#byRow.get(row)
  }

  of(row: RowView): RowRequests {
    const known = this.#byRow.get(row)
    if (known !== undefined) return known
    const requests = new RowRequests()
    this.#byRow.set(row, requests)
    return requests
  }

  isAwaited(row: RowView): boolean {
    return this.#byRow.get(row)?.isAwaited === true
  }

  /** The row is dropped. */
  forget(row: RowView): void {
    this.#byRow.delete(row)
  }
}
