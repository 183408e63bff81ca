import type { ListedRow, OwnerRow } from 'vsa'
import type * as StoreReader from '../../../packages/vsa/dist/cli/store-reader.js'
import { moduleOf, SHIPPED } from '../subject.ts'

/** All rows of a file at one moment. */
export interface StoreContents {
  readonly rows: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: ReadonlyMap<string, number>
}

const { inspecting, rowsOf, countersOf } = await moduleOf<typeof StoreReader>(SHIPPED, 'cli/store-reader.js')

/** Reads the file on a read-only connection of its own, also while other processes write it. */
export function readStore(file: string): Promise<StoreContents> {
  return inspecting(file, (inspection) => ({
    rows: [...rowsOf(inspection)],
    owners: inspection.owners(),
    counters: new Map([...countersOf(inspection)].map(({ key, value }) => [key, value])),
  }))
}
