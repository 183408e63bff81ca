import { wholeBetween, type Random } from './random.ts'

/** What goes wrong with one call to a store. Times are in ms on the injected clock, 0 or more. */
export type Fault =
  /** The request takes `requestMs` to arrive, and its answer `answerMs`. A caller that sends again meanwhile may see its first request arrive last. */
  | { readonly kind: 'delay'; readonly requestMs: number; readonly answerMs: number }
  /** The request never arrives, and the call is never answered. */
  | { readonly kind: 'lost_request' }
  /** The request is applied, and the call is never answered. */
  | { readonly kind: 'lost_answer' }
  /** The request arrives twice, the second time after `afterMs`; the caller sees the first answer. */
  | { readonly kind: 'duplicate'; readonly afterMs: number }
  /** The call rejects at once with `applied: 'unknown'`; the request arrives after `afterMs`, behind newer ones. */
  | { readonly kind: 'late'; readonly afterMs: number }
  /** The call rejects with `applied: 'unknown'`. `applied` says whether the request was applied. */
  | { readonly kind: 'unknown'; readonly applied: boolean }
  /** The call rejects with `applied: 'no'`, and nothing was applied. */
  | { readonly kind: 'refused' }
  /** The store dies in the middle of the call, which rejects with `applied: 'unknown'`. For `downMs` every call is refused. */
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

/** The probability of each fault for one call, 0 to 1; together at most 1. Kinds left out never happen. */
export type FaultRates = Readonly<Partial<Record<FaultKind, number>>>

/** Draws one fault or none. Its times are whole ms from 0 to `delayMsMax`. */
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
