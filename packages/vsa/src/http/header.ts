import type { PolicyFigures } from './policy-figures.ts'

/** One header of a response. */
export interface Header {
  readonly name: string
  readonly value: string
  /** It is a list, to which another middleware of the same request may have written. */
  readonly isList: boolean
}

/** @param shown the budgets of the request, at least one; on a denial the one that refused */
export type HeadersWriter = (shown: readonly PolicyFigures[]) => readonly Header[]
