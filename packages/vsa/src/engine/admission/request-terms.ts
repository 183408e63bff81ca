import type { Remember } from '../../core/reservations/messages.ts'
import { type GateNeed, type RequestForm, RequestTerms, type Waterfall } from '../requests/pending-request.ts'

/** Needs of no units are admitted without a look (G2). */
export function termsFor(
  needs: readonly GateNeed[],
  durable: boolean | undefined,
  deadlineMs: number,
  form?: RequestForm,
): RequestTerms {
  const wanted = needs.every(({ units }) => units > 0) ? needs : needs.filter(({ units }) => units > 0)
  return new RequestTerms(wanted, durable ?? wanted.some(({ gate }) => gate.plan.durable), deadlineMs, form)
}

export function formOf(remember: Remember | undefined, waterfall?: Waterfall): RequestForm | undefined {
  if (remember === undefined && waterfall === undefined) return undefined
  return { ...(remember && { remember }), ...(waterfall && { waterfall }) }
}
