import type { Bounds } from './bounds.ts'
import type { Order } from './owner-moves.ts'
import type { Message } from './world.ts'

/** The name of an owner in traces. */
export function nameOf(owner: number): string {
  return owner === 0 ? 'A' : 'B'
}

export function sayMessage(message: Message): string {
  switch (message.kind) {
    case 'joined':
      return `epoch ${message.epoch} for ${nameOf(message.to)}`
    case 'request':
      return `batch ${message.batch.seq} of epoch ${message.batch.epoch}`
    case 'answer':
      return `the answer to batch ${message.batch.seq} of epoch ${message.batch.epoch}, "${message.answer.kind}",`
  }
}

export function sayOrder(bounds: Bounds, { rows, close }: Order): string {
  const leases = rows.map(
    ({ row, hold, wants }) => `a lease of ${hold} of ${bounds.rows[row]?.key}${wants ? ', which is wanted' : ''}`,
  )
  return close ? 'its last batch, and closes' : `a batch that asks for ${leases.join(' and ')}`
}
