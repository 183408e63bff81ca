import { escaped } from './safe-text.ts'

/** Where comma-separated values go. */
export interface CsvTarget {
  /** Control characters are escaped, as in the other outputs. */
  readonly isTerminal: boolean
  /** No cell is a formula. */
  readonly isForSpreadsheet: boolean
}

/** What a spreadsheet takes for the start of a formula, or leaves out before one. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

/**
 * A cell with text, quoted as RFC 4180 says. For a spreadsheet, `'` is put before what it would take for a formula, and each text is quoted, because some
 * separate cells at `;`.
 */
export function csvCell(text: string, { isTerminal, isForSpreadsheet }: CsvTarget): string {
  const harmless = isForSpreadsheet && FORMULA.test(text) ? `'${text}` : text
  const shown = isTerminal ? escaped(harmless) : harmless
  return isForSpreadsheet || /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown
}
