import type { ListedRow, OwnerRow } from 'vsa'
import type * as StoreReader from '../../../packages/vsa/dist/cli/store-reader.js'
import { moduleOf, SHIPPED } from '../subject.ts'

/** The whole file as of one moment. */
export interface Books {
  readonly rows: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: ReadonlyMap<string, number>
}

const { inspecting, rowsOf, countersOf } = await moduleOf<typeof StoreReader>(SHIPPED, 'cli/store-reader.js')

/** Reads the file on a connection of its own, which cannot write, while others do. */
export function readBooks(file: string): Promise<Books> {
  return inspecting(file, (inspection) => ({
    rows: [...rowsOf(inspection)],
    owners: inspection.owners(),
    counters: new Map([...countersOf(inspection)].map(({ key, value }) => [key, value])),
  }))
}
