import { StoreError, type ListedRow, type OwnerRow } from 'vsa'
import type * as StoreReader from '../../../packages/vsa/dist/cli/store-reader.js'
import type * as PlaceOf from '../../../packages/vsa/dist/cli/stores/place-of.js'
import { moduleOf, SHIPPED } from '../subject.ts'

/** All rows: of a file at one moment, of a server page by page. */
export interface StoreContents {
  readonly rows: readonly ListedRow[]
  readonly owners: readonly OwnerRow[]
  readonly counters: ReadonlyMap<string, number>
}

const { inspecting, visitRows, countersOf } = await moduleOf<typeof StoreReader>(SHIPPED, 'cli/store-reader.js')
const { placeOf } = await moduleOf<typeof PlaceOf>(SHIPPED, 'cli/stores/place-of.js')

/**
 * Reads all rows, also while other processes write them.
 * @param place as `vsa verify` takes it
 * @throws Error for a row that cannot be read, or whose sums are not those of its leases; StoreError
 */
export function readStore(place: string): Promise<StoreContents> {
  return inspecting(placeOf(place), async (inspection) => ({
    rows: await rowsIn(inspection),
    owners: await inspection.owners(),
    counters: new Map((await countersOf(inspection)).map(({ key, value }) => [key, value])),
  }))
}

async function rowsIn(inspection: Parameters<typeof visitRows>[0]): Promise<readonly ListedRow[]> {
  const rows: ListedRow[] = []
  await visitRows(inspection, {
    row: ({ budget, leases, faults }) => {
      if (faults !== undefined) throw new Error(`the row ${budget.key} of ${budget.period}: ${faults.join('; ')}`)
      rows.push({ budget, leases })
    },
    unreadable: ({ key, period, detail }) => {
      throw new Error(`the row ${key} of ${period} cannot be read: ${detail}`)
    },
  })
  return rows
}

/** The server of the store is being killed or started. */
export function isAway(error: unknown): boolean {
  return error instanceof StoreError && error.transient
}
