import type { EntryRows } from './adapter.ts'
import type { Entry, EntryNote } from './exchange.ts'

/** L3: an id mints once for ever, also where a batch has it for two periods of one budget: `mint` was called on both sides of a period's end. */
export class BatchMints {
  /** Units by key and id; null until something was minted. */
  #units: Map<string, number> | null = null

  /** The rows of an entry, with what an earlier entry of the batch has minted under its id. */
  before(entry: Entry, rows: EntryRows | null | undefined): EntryRows | null | undefined {
    if (this.#units === null || rows?.kind !== 'budget' || rows.mintedBefore !== undefined) return rows
    const name = nameOf(entry)
    return name === null ? rows : { ...rows, mintedBefore: this.#units.get(name) }
  }

  note(entry: Entry, note: EntryNote | undefined): void {
    if (note?.mint !== 'minted' || entry.kind !== 'budget' || entry.mint === undefined) return
    this.#units ??= new Map()
    this.#units.set(mintName(entry.key, entry.mint.id), entry.mint.units)
  }
}

function nameOf(entry: Entry): string | null {
  return entry.kind === 'budget' && entry.mint !== undefined ? mintName(entry.key, entry.mint.id) : null
}

/** One text for each key and id. */
export function mintName(key: string, id: string): string {
  return `${key.length}:${key}${id}`
}
