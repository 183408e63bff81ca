import type { CreditAnswer, CreditBatch, CreditOp, ExchangeAnswer } from './books.ts'

/** For traces. */
export function opText(op: CreditOp): string {
  switch (op.kind) {
    case 'admit':
    case 'reserve':
      return `${op.kind} ${op.id} ${op.units.join(' + ')} of ${op.form === 'first' ? 'the first of ' : ''}${op.keys.join(', ')}`
    case 'take':
      return `take ${op.units} of the first of ${op.keys.join(', ')}`
    case 'give back':
      return `give back ${op.units} of ${op.key}`
    case 'flush':
      return `flush ${op.spent} of ${op.key}`
    case 'settle':
    case 'extend':
    case 'refund':
    case 'mint':
      return `${op.kind} ${op.id} ${op.units}`
  }
}

export function batchText({ ops }: CreditBatch): string {
  return ops.map(opText).join(', ')
}

export function answerText(answer: ExchangeAnswer): string {
  return answer.kind === 'applied' ? answer.outcome.map(outcomeText).join(', ') : answer.kind
}

function outcomeText(answer: CreditAnswer): string {
  switch (answer.kind) {
    case 'granted':
      return `granted ${answer.shares.join(' + ')}, ${answer.state}${againText(answer)}`
    case 'settled':
      return `settled ${answer.shares.join(' + ')}, uncovered ${answer.uncovered}${againText(answer)}`
    case 'refunded':
      return `refunded ${answer.back.join(' + ')}${againText(answer)}`
    case 'done':
      return `done ${answer.units}`
    case 'refused':
    case 'given back before':
    case 'id_conflict':
    case 'unknown':
    case 'not final':
    case 'not open':
    case 'no row':
      return answer.kind
  }
}

function againText({ repeated }: { readonly repeated: boolean }): string {
  return repeated ? ', repeated' : ''
}
