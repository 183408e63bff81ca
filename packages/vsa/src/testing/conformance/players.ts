import type { Answer, Batch, Entry, RowName, RowPolicy } from '../../core/exchange.ts'
import type { Joined } from '../../core/store.ts'
import { OWNERS, type Ask, type Command } from './command.ts'
import { addTo, entryOf, initialOf, windowOf } from './entries.ts'

interface Player {
  readonly epoch: number
  seq: number
  /** By row: the lease as the last answer told it. */
  readonly held: Map<string, number>
}

/** The rows that sequences play with; the last two are counters. */
const KEYS = ['a', 'b', 'w', 'w', 'short', 'count', '🦀 count'] as const
const COUNTERS_FROM = 5
const WINDOW_MS = 60_000
const SHORT_MS = 1_000

/** The owners of a sequence: they know what the answers told them, and turn commands into batches. */
export class Players {
  readonly #start: number
  readonly #players: (Player | undefined)[] = Array.from({ length: OWNERS }, () => undefined)
  readonly #sent: Batch[] = []

  /** @param start store time when the sequence begins: the windows lie around it */
  constructor(start: number) {
    this.#start = start
  }

  joined(owner: number, { epoch }: Joined): void {
    this.#players[owner] = { epoch, seq: 0, held: new Map() }
  }

  /** The batch that a command sends; undefined when there is nobody to send it. */
  batchFor(command: Exclude<Command, { readonly do: 'join' | 'pass' | 'jump' }>): Batch | undefined {
    if (command.do === 'resend') return this.#sent.at(-1 - command.back)
    const player = this.#players[command.owner]
    if (player === undefined) return undefined
    switch (command.do) {
      case 'skip':
        return { epoch: player.epoch, seq: player.seq + 1 + command.by, entries: [], takes: [], close: false }
      case 'exchange': {
        const entries = command.asks.map((ask) => this.#entry(player, ask))
        return this.#send(player, {
          entries,
          takes: command.takes.map(({ needs, n }) => ({ need: needs, n })),
          close: false,
        })
      }
      case 'close':
        return this.#send(player, { entries: this.#returned(player), takes: [], close: true })
    }
  }

  /** Learns from the answer what its owner holds. */
  answered(batch: Batch, answer: Answer): void {
    const player = this.#players.find((player) => player?.epoch === batch.epoch)
    if (player === undefined || batch.seq !== player.seq) return
    // A breach applied nothing: the next batch has the same seq, as an engine's would.
    if (answer.kind === 'breach') player.seq -= 1
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') return
    for (const [index, entry] of batch.entries.entries()) {
      const told = answer.entries[index]
      if (entry.kind === 'budget') player.held.set(nameOf(entry), told?.kind === 'budget' ? told.held : 0)
    }
  }

  #send(player: Player, parts: Pick<Batch, 'entries' | 'takes' | 'close'>): Batch {
    player.seq += 1
    const batch = { epoch: player.epoch, seq: player.seq, ...parts }
    this.#sent.push(batch)
    return batch
  }

  #entry(player: Player, ask: Ask): Entry {
    const key = KEYS[ask.row] ?? 'a'
    if (ask.row >= COUNTERS_FROM) return addTo(key, ask.refund - ask.hold)
    const period = this.#periodOf(ask.row)
    const held = player.held.get(nameOf({ key, period })) ?? 0
    const spent = ask.spentQuarters > 4 ? held + 1 : Math.floor((held * ask.spentQuarters) / 4)
    const { refund, hold, wantMs, known } = ask
    const policy = ask.limit === 0 ? {} : { policy: this.#policy(player, ask) }
    const units = 2 * ask.mint + (ask.conflict ? 1 : 0)
    const mint = ask.mint === 0 || ask.row > 1 ? {} : { mint: { id: `m${ask.mint}`, units } }
    return entryOf(key, { period, spent, refund, hold, wantMs, known, ...policy, ...mint })
  }

  #policy(player: Player, { row, limit }: Ask): RowPolicy {
    const parts = { version: player.epoch, burnMax: Math.ceil(limit / 4) }
    if (row < 2) return initialOf(limit, parts)
    const endsAt = this.#periodOf(row) + (row === 4 ? SHORT_MS : WINDOW_MS)
    return windowOf(limit, endsAt, { ...parts, keepUntil: endsAt + 2 * WINDOW_MS })
  }

  #periodOf(row: number): number {
    if (row < 2) return 0
    return row === 3 ? this.#start + WINDOW_MS / 2 : this.#start - WINDOW_MS / 2
  }

  #returned(player: Player): Entry[] {
    const leased = [...player.held].filter(([, held]) => held > 0)
    return leased.map(([name, held]) => {
      const { key, period } = rowNameOf(name)
      return entryOf(key, { period, known: true, spent: Math.floor(held / 2) })
    })
  }
}

function nameOf({ key, period }: RowName): string {
  return JSON.stringify([key, period])
}

function rowNameOf(name: string): RowName {
  // Written by `nameOf` alone.
  const [key, period] = JSON.parse(name) as [string, number]
  return { key, period }
}
