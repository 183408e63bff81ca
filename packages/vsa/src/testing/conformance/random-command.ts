import type { Take } from '../../core/exchange.ts'
import type { ReservationChange } from '../../core/reservations/messages.ts'
import { oneOf, wholeBetween, type Random } from '../random.ts'
import { COUNTERS_FROM, drawChanges, drawRequest, drawWaterfall, KEYS, takeOfRequest } from './random-credits.ts'

/** One step of a random sequence. Plain data, so that a failing sequence can be shortened and printed. */
export type Command =
  /** A process starts, or restarts after a crash. Its old epoch stays open. */
  | { readonly do: 'join'; readonly owner: number }
  | {
      readonly do: 'exchange'
      readonly owner: number
      readonly rows: readonly RowChange[]
      /** Their needs are positions in `rows`. */
      readonly takes: readonly Take[]
      readonly changes: readonly ReservationChange[]
    }
  /** Settles and returns every lease, and closes the epoch. */
  | { readonly do: 'close'; readonly owner: number }
  /** Sends a batch again: 0 is the last one sent. Older ones may be of earlier epochs. */
  | { readonly do: 'resend'; readonly back: number }
  /** Sends a seq that is `by` beyond the next. */
  | { readonly do: 'skip'; readonly owner: number; readonly by: number }
  /** Sends the next seq under another token, as an owner of a store that was restored from a backup; or as one of another incarnation (F1). */
  | { readonly do: 'foreign'; readonly owner: number; readonly other: 'token' | 'incarnation' }
  /** Deletes all of a key: an index into `KEYS`. */
  | { readonly do: 'delete'; readonly row: number }
  | { readonly do: 'pass'; readonly ms: number }
  /** Sets the clock that the store reads, forwards or back. */
  | { readonly do: 'jump'; readonly ms: number }

/** One entry, in terms of what the owner holds when it is sent. */
export interface RowChange {
  /** Which row: an index into `KEYS`. */
  readonly row: number
  /** How much of the lease was spent, in quarters. 5 is one unit more than the lease: a breach. */
  readonly spentQuarters: number
  readonly refund: number
  readonly hold: number
  readonly wantMs: number
  readonly known: boolean
  /** The limit declared, with the owner's epoch as its version. 0 declares nothing. */
  readonly limit: number
  /** The number of the mint, 1 to 4; 0 mints nothing. Its units are twice its number, or one more for a conflict. */
  readonly mint: number
  /** What the owner was answered before a store forgot it (F5), in units; 0: nothing. */
  readonly gone: number
  readonly conflict: boolean
  readonly reset: boolean
}

export const OWNERS = 3
/** After it, what has ended may be forgotten. */
const LONG_MS = 8 * 86_400_000
/** Longer than a store may put off its upkeep, so that the next call does it. */
export const UPKEEP_DUE_MS = 200

/** What is drawn. */
export interface Draws {
  readonly isTimeInjected: boolean
  /** The store has `delete`. */
  readonly deletes: boolean
}

/** A sequence of `length` commands. */
export function drawCommands(random: Random, length: number, { isTimeInjected, deletes }: Draws): Command[] {
  const commands: Command[] = Array.from({ length: OWNERS }, (_, owner) => ({ do: 'join', owner }))
  while (commands.length < length)
    commands.push(deletes && random() < 0.03 ? drawDeletion(random) : drawCommand(random, isTimeInjected))
  return commands
}

function drawCommand(random: Random, isTimeInjected: boolean): Command {
  const owner = wholeBetween(random, 0, OWNERS - 1)
  const share = random()
  if (share < 0.62) return drawExchange(random, owner, isTimeInjected)
  if (share < 0.76) return { do: 'resend', back: oneOf(random, [0, 0, 0, 1, 2, 5]) }
  if (share < 0.81) return { do: 'join', owner }
  if (share < 0.835) return { do: 'close', owner }
  if (share < 0.84) return { do: 'skip', owner, by: oneOf(random, [1, 7]) }
  if (share < 0.85) return { do: 'foreign', owner, other: oneOf(random, ['token', 'token', 'incarnation']) }
  if (!isTimeInjected) return drawExchange(random, owner, isTimeInjected)
  if (share < 0.854) return { do: 'pass', ms: LONG_MS }
  if (share < 0.88) return { do: 'jump', ms: oneOf(random, [-3_600_000, -500, 700]) }
  return { do: 'pass', ms: oneOf(random, [UPKEEP_DUE_MS, 1_000, 4_000, 4_000, 11_000, 70_000, 200_000]) }
}

function drawDeletion(random: Random): Command {
  return { do: 'delete', row: wholeBetween(random, 0, COUNTERS_FROM - 1) }
}

function drawExchange(random: Random, owner: number, isTimeInjected: boolean): Command {
  const request = random() < 0.45 ? drawRequest(random, isTimeInjected) : undefined
  const drawn = KEYS.map((_, row) => row).filter((row) => request?.rows.includes(row) === true || random() < 0.35)
  const takes = [
    ...(request === undefined ? [] : [takeOfRequest(request, drawn)]),
    ...(random() < 0.2 ? [drawWaterfall(random, drawn) ?? []].flat() : []),
    ...(drawn.length === 0
      ? []
      : Array.from({ length: wholeBetween(random, 0, 2) }, () => drawTake(random, drawn.length))),
  ]
  const rows = drawn.map((row) => drawChange(random, row))
  return { do: 'exchange', owner, rows, takes, changes: drawChanges(random, isTimeInjected) }
}

function drawChange(random: Random, row: number): RowChange {
  return {
    row,
    spentQuarters: random() < 0.01 ? 5 : oneOf(random, [0, 0, 1, 2, 4]),
    refund: oneOf(random, [0, 0, 0, 1, 3, 50]),
    hold: oneOf(random, [0, 1, 4, 4, 9, 30]),
    wantMs: oneOf(random, [0, 0, 0, 0, 0, 300, 2_000]),
    known: random() < 0.2,
    limit: oneOf(random, [0, 10, 10, 14, 25]),
    mint: random() < 0.2 ? wholeBetween(random, 1, 4) : 0,
    conflict: random() < 0.2,
    reset: random() < 0.04,
    gone: random() < 0.06 ? oneOf(random, [1, 5, 20, 60]) : 0,
  }
}

function drawTake(random: Random, rows: number): Take {
  const first = wholeBetween(random, 0, rows - 1)
  const second = wholeBetween(random, 0, rows - 1)
  const cost = (): number => wholeBetween(random, 1, 6)
  const need =
    second === first || random() < 0.6
      ? ([[first, cost()]] as const)
      : ([
          [first, cost()],
          [second, cost()],
        ] as const)
  return { need, n: oneOf(random, [1, 1, 2, 5]) }
}
