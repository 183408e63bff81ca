import type { Answer, Batch, Entry, RowName, RowPolicy } from '../../core/exchange.ts'
import type { Joined } from '../../core/store.ts'
import { OWNERS, type Command, type RowChange } from './random-command.ts'
import { COUNTERS_FROM, KEYS } from './random-credits.ts'
import { addTo, entryOf, initialOf, windowOf } from './entries.ts'

interface OwnerState {
  readonly epoch: number
  readonly token: string
  readonly incarnation: string
  seq: number
  /** By row: the lease in the last answer. */
  readonly held: Map<string, number>
}

const WINDOW_MS = 60_000
const SHORT_MS = 1_000

/** The owners of a random sequence. They remember the answers, and turn commands into batches. */
export class RandomOwners {
  readonly #start: number
  readonly #owners: (OwnerState | undefined)[] = Array.from({ length: OWNERS }, () => undefined)
  readonly #sent: Batch[] = []

  /** @param start store time when the sequence begins; the windows lie around it */
  constructor(start: number) {
    this.#start = start
  }

  joined(owner: number, { epoch, token, incarnation }: Joined): void {
    this.#owners[owner] = { epoch, token, incarnation, seq: 0, held: new Map() }
  }

  /** The batch that the command sends; undefined when its owner has not joined, or there is nothing to send again. */
  batchFor(command: Exclude<Command, { readonly do: 'join' | 'delete' | 'pass' | 'jump' }>): Batch | undefined {
    if (command.do === 'resend') return this.#sent.at(-1 - command.back)
    const owner = this.#owners[command.owner]
    if (owner === undefined) return undefined
    switch (command.do) {
      case 'skip':
        return { ...this.#empty(owner), seq: owner.seq + 1 + command.by }
      case 'foreign':
        return { ...this.#empty(owner), seq: owner.seq + 1, [command.other]: `not ${owner[command.other]}` }
      case 'exchange': {
        const { takes, changes } = command
        const entries = command.rows.map((change) => this.#entry(owner, change))
        return this.#send(owner, { entries, takes, ...(changes.length > 0 && { changes }), close: false })
      }
      case 'close':
        return this.#send(owner, { entries: this.#returned(owner), takes: [], close: true })
    }
  }

  /** Learns from the answer what its owner holds. */
  answered(batch: Batch, answer: Answer): void {
    const owner = this.#owners.find((owner) => owner?.token === batch.token)
    if (owner === undefined || batch.seq !== owner.seq) return
    // A breach applied nothing: the next batch has the same seq, as an engine's would.
    if (answer.kind === 'breach') owner.seq -= 1
    if (answer.kind !== 'applied' && answer.kind !== 'replayed') return
    for (const [index, entry] of batch.entries.entries()) {
      const row = answer.entries[index]
      if (entry.kind === 'budget') owner.held.set(nameOf(entry), row?.kind === 'budget' ? row.held : 0)
    }
  }

  #send(owner: OwnerState, parts: Pick<Batch, 'entries' | 'takes' | 'changes' | 'close'>): Batch {
    owner.seq += 1
    const batch = { ...this.#empty(owner), ...parts }
    this.#sent.push(batch)
    return batch
  }

  #empty({ epoch, token, incarnation, seq }: OwnerState): Batch {
    return { epoch, token, incarnation, seq, entries: [], takes: [], close: false }
  }

  #entry(owner: OwnerState, change: RowChange): Entry {
    const key = KEYS[change.row] ?? 'a'
    if (change.row >= COUNTERS_FROM) return addTo(key, change.refund - change.hold)
    const period = this.#periodOf(change.row)
    const held = owner.held.get(nameOf({ key, period })) ?? 0
    const spent = change.spentQuarters > 4 ? held + 1 : Math.floor((held * change.spentQuarters) / 4)
    const { refund, hold, wantMs, known } = change
    const gone = change.gone === 0 ? {} : { gone: change.gone }
    const reset = change.reset ? ({ reset: true } as const) : {}
    const policy = change.limit === 0 ? {} : { policy: this.#policy(owner, change) }
    const units = 2 * change.mint + (change.conflict ? 1 : 0)
    const mint = change.mint === 0 || change.row > 1 ? {} : { mint: { id: `m${change.mint}`, units } }
    return entryOf(key, { period, spent, refund, hold, wantMs, known, ...policy, ...mint, ...gone, ...reset })
  }

  #policy(owner: OwnerState, { row, limit }: RowChange): RowPolicy {
    const parts = { version: owner.epoch, burnMax: Math.ceil(limit / 4) }
    if (row < 2) return initialOf(limit, parts)
    const endsAt = this.#periodOf(row) + (row === 4 ? SHORT_MS : WINDOW_MS)
    return windowOf(limit, endsAt, { ...parts, keepUntil: endsAt + 2 * WINDOW_MS })
  }

  #periodOf(row: number): number {
    if (row < 2) return 0
    return row === 3 ? this.#start + WINDOW_MS / 2 : this.#start - WINDOW_MS / 2
  }

  #returned(owner: OwnerState): Entry[] {
    const leased = [...owner.held].filter(([, held]) => held > 0)
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
