import { wholeBetween, type Random } from './random.ts'

/** What may go wrong with one call to a store. Times are those of the injected clock. */
export type Fault =
  /** The request travels for `requestMs`, its answer for `answerMs`. Longer than the caller waits: it sends again, and the old request arrives after the new one. */
  | { readonly kind: 'delay'; readonly requestMs: number; readonly answerMs: number }
  /** The request never arrives, and nobody says so. */
  | { readonly kind: 'lost_request' }
  /** The request is applied; its answer never arrives. */
  | { readonly kind: 'lost_answer' }
  /** The request arrives twice, the second time after `afterMs`; the caller sees the first answer. */
  | { readonly kind: 'duplicate'; readonly afterMs: number }
  /** The caller is told at once that the outcome is unknown; the request arrives after `afterMs`, behind newer ones. */
  | { readonly kind: 'late'; readonly afterMs: number }
  /** A `StoreError` with `applied: 'unknown'`; whether it was applied is up to `applied`. */
  | { readonly kind: 'unknown'; readonly applied: boolean }
  /** A `StoreError` with `applied: 'no'`, and nothing was applied. */
  | { readonly kind: 'refused' }
  /** The store dies in the middle of the call: all or nothing was applied, the outcome is unknown, and for `downMs` every call is refused. */
  | { readonly kind: 'death'; readonly applied: boolean; readonly downMs: number }

export type FaultKind = Fault['kind']

export const FAULT_KINDS: readonly FaultKind[] = [
  'delay',
  'lost_request',
  'lost_answer',
  'duplicate',
  'late',
  'unknown',
  'refused',
  'death',
]

/** How likely each fault is for one call, 0 to 1; together at most 1. Kinds left out never happen. */
export type FaultRates = Readonly<Partial<Record<FaultKind, number>>>

/** One fault or none, as `rates` say; times are drawn from 0 to `delayMsMax`. */
export function drawFault(random: Random, rates: FaultRates, delayMsMax: number): Fault | undefined {
  let point = random()
  for (const kind of FAULT_KINDS) {
    point -= rates[kind] ?? 0
    if (point < 0) return faultOf(kind, random, delayMsMax)
  }
  return undefined
}

function faultOf(kind: FaultKind, random: Random, delayMsMax: number): Fault {
  const someMs = (): number => wholeBetween(random, 0, delayMsMax)
  switch (kind) {
    case 'delay':
      return { kind, requestMs: someMs(), answerMs: someMs() }
    case 'lost_request':
    case 'lost_answer':
    case 'refused':
      return { kind }
    case 'duplicate':
    case 'late':
      return { kind, afterMs: someMs() }
    case 'unknown':
      return { kind, applied: random() < 0.5 }
    case 'death':
      return { kind, applied: random() < 0.5, downMs: someMs() }
  }
}
