/** A column: its title, and the side on which its cells line up. Numbers go right. */
export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

/** Shorthand for the columns of a table: a title that begins with `>` is a column of numbers. */
export function columns(...titles: readonly string[]): readonly Column[] {
  return titles.map((title) =>
    title.startsWith('>') ? { title: title.slice(1), align: 'right' } : { title, align: 'left' },
  )
}

/** Aligned text, one line for each row below a line of titles; two spaces between columns and none at the ends. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, at) => {
        const cell = cells[at] ?? ''
        const width = widths[at] ?? 0
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map(({ title }) => title)), ...rows.map(line)].join('\n')
}

/** Two aligned columns without titles: a name and its value, values to the right. */
export function facts(rows: readonly (readonly [name: string, value: string, note?: string])[]): string {
  const nameWidth = Math.max(...rows.map(([name]) => name.length))
  const valueWidth = Math.max(...rows.map(([, value]) => value.length))
  return rows
    .map(([name, value, note = '']) => `  ${name.padEnd(nameWidth)}  ${value.padStart(valueWidth)}  ${note}`.trimEnd())
    .join('\n')
}
