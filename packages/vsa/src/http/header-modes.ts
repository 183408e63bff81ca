import type { Header, HeadersWriter } from './header.ts'
import type { PartitionKey } from './partition-key.ts'
import { draft6Headers, draft7Headers, legacyHeaders } from './plain-headers.ts'
import { listHeaders } from './list-headers.ts'

export type HeadersMode = 'draft-11' | 'draft-8' | 'draft-7' | 'draft-6' | 'legacy' | false

export interface HeaderSettings {
  readonly headers: HeadersMode
  readonly legacyReset: 'epoch' | 'delta'
  readonly partitionKey: PartitionKey
}

const NONE: readonly Header[] = []

export function headersWriter({ headers, legacyReset, partitionKey }: HeaderSettings): HeadersWriter {
  switch (headers) {
    case 'draft-11':
      return listHeaders(partitionKey, ';')
    case 'draft-8':
      return listHeaders(partitionKey, '; ')
    case 'draft-7':
      return draft7Headers
    case 'draft-6':
      return draft6Headers
    case 'legacy':
      return legacyHeaders(legacyReset)
    case false:
      return () => NONE
  }
}
