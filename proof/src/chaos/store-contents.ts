import type { ListedRow, OwnerRow } from 'vsa'
import type * as StoreReader from '../../../packages/vsa/dist/cli/store-reader.js'
import type * as PlaceOf from '../../../packages/vsa/dist/cli/stores/place-of.js'
import { moduleOf, SHIPPED } from '../subject.ts'

/** All rows of a file at one moment. */
export interface StoreContents {
  readonly rows: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: ReadonlyMap<string, number>
}

const { inspecting, visitRows, countersOf } = await moduleOf<typeof StoreReader>(SHIPPED, 'cli/store-reader.js')
const { placeOf } = await moduleOf<typeof PlaceOf>(SHIPPED, 'cli/stores/place-of.js')

/** Reads the file on a read-only connection of its own, also while other processes write it. @throws Error for a row that cannot be read */
export function readStore(file: string): Promise<StoreContents> {
  return inspecting(placeOf(`sqlite:${file}`), async (inspection) => ({
    rows: await rowsIn(inspection),
    owners: await inspection.owners(),
    counters: new Map((await countersOf(inspection)).map(({ key, value }) => [key, value])),
  }))
}

async function rowsIn(inspection: Parameters<typeof visitRows>[0]): Promise<readonly ListedRow[]> {
  const rows: ListedRow[] = []
  await visitRows(inspection, {
    row: (row) => rows.push(row),
    unreadable: ({ key, period, detail }) => {
      throw new Error(`the row ${key} of ${period} cannot be read: ${detail}`)
    },
  })
  return rows
}
