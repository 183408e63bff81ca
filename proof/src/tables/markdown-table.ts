/** A table in the form that the formatter keeps: each column as wide as its widest cell. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', String.raw`\|`)))
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[], fill = ' '): string =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width, fill)).join(' | ')} |`
  const [first = [], ...others] = cells
  return [line(first), line([], '-'), ...others.map((row) => line(row))].join('\n')
}

/** Source code in one cell: on one line, with quotes for backticks, and not longer than a reader needs to recognize it. */
export function codeCell(code: string, lengthMax = 60): string {
  const line = oneLine(code).replaceAll('`', "'")
  if (line === '') return 'nothing'
  return `\`${line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line}\``
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
