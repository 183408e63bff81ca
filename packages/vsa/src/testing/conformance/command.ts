import { oneOf, wholeBetween, type Random } from '../random.ts'

/** One step of a random sequence: plain data, so that a failing sequence can be shortened and printed. */
export type Command =
  /** A process starts, or starts again after a crash: its old epoch stays behind, open. */
  | { readonly do: 'join'; readonly owner: number }
  | {
      readonly do: 'exchange'
      readonly owner: number
      readonly asks: readonly Ask[]
      readonly takes: readonly AskedTake[]
    }
  /** Everything settled and returned, and the epoch ended. */
  | { readonly do: 'close'; readonly owner: number }
  /** A batch sent before arrives again: 0 is the last one; the others may be of earlier epochs. */
  | { readonly do: 'resend'; readonly back: number }
  /** A seq from the future. */
  | { readonly do: 'skip'; readonly owner: number; readonly by: number }
  | { readonly do: 'pass'; readonly ms: number }
  /** The clock that the store reads is set, forwards or back. */
  | { readonly do: 'jump'; readonly ms: number }

/** What an owner asks of one row, in terms of what it holds then. */
export interface Ask {
  /** Which row: an index into `ROWS` of the sequence. */
  readonly row: number
  /** How much of the lease was spent, in quarters; 5 is a unit more than all of it. */
  readonly spentQuarters: number
  readonly refund: number
  readonly hold: number
  readonly wantMs: number
  readonly known: boolean
  /** The limit declared, under a version that is the owner's epoch; 0 declares nothing. */
  readonly limit: number
  /** Which mint, if any: 1 to 4; units are twice that, or one more in case of a conflict. */
  readonly mint: number
  readonly conflict: boolean
}

export interface AskedTake {
  /** Positions in `asks`. */
  readonly needs: readonly (readonly [ask: number, cost: number])[]
  readonly n: number
}

export const OWNERS = 3
const ROW_COUNT = 7
/** Longer than a store waits with its housekeeping, so that it is done with the next call. */
export const PASS_LEAST_MS = 200

/** A sequence of `length` commands. */
export function drawCommands(random: Random, length: number, movesTime: boolean): Command[] {
  const commands: Command[] = Array.from({ length: OWNERS }, (_, owner) => ({ do: 'join', owner }))
  while (commands.length < length) commands.push(drawCommand(random, movesTime))
  return commands
}

function drawCommand(random: Random, movesTime: boolean): Command {
  const owner = wholeBetween(random, 0, OWNERS - 1)
  const die = random()
  if (die < 0.62) return drawExchange(random, owner)
  if (die < 0.76) return { do: 'resend', back: oneOf(random, [0, 0, 0, 1, 2, 5]) }
  if (die < 0.8) return { do: 'join', owner }
  if (die < 0.83) return { do: 'close', owner }
  if (die < 0.85) return { do: 'skip', owner, by: oneOf(random, [1, 7]) }
  if (!movesTime) return drawExchange(random, owner)
  if (die < 0.88) return { do: 'jump', ms: oneOf(random, [-3_600_000, -500, 700]) }
  return { do: 'pass', ms: oneOf(random, [PASS_LEAST_MS, 1_000, 4_000, 4_000, 11_000, 70_000, 200_000]) }
}

function drawExchange(random: Random, owner: number): Command {
  const rows = Array.from({ length: ROW_COUNT }, (_, row) => row).filter(() => random() < 0.4)
  const asks = rows.map((row) => drawAsk(random, row))
  const takes =
    asks.length === 0 ? [] : Array.from({ length: wholeBetween(random, 0, 2) }, () => drawTake(random, asks.length))
  return { do: 'exchange', owner, asks, takes }
}

function drawAsk(random: Random, row: number): Ask {
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
  }
}

function drawTake(random: Random, asks: number): AskedTake {
  const first = wholeBetween(random, 0, asks - 1)
  const second = wholeBetween(random, 0, asks - 1)
  const cost = (): number => wholeBetween(random, 1, 6)
  const needs =
    second === first || random() < 0.6
      ? ([[first, cost()]] as const)
      : ([
          [first, cost()],
          [second, cost()],
        ] as const)
  return { needs, n: oneOf(random, [1, 1, 2, 5]) }
}
