/** Aligned columns. */
import { columns, printable } from './printable.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Lines with two spaces between columns, without trailing space. A column that is empty in every row is left out. */
export function table(columnsOfTable: readonly Column[], rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(printable))
  const used = columnsOfTable
    .map((column, index) => ({ ...column, index }))
    .filter(({ index }) => clean.some((row) => (row[index] ?? '') !== ''))
  const widths = used.map(({ title, index }) =>
    Math.max(columns(title), ...clean.map((row) => columns(row[index] ?? ''))),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, place) => {
        const pad = ' '.repeat(Math.max(0, (widths[place] ?? 0) - columns(cell)))
        return used[place]?.align === 'right' ? `${pad}${cell}` : `${cell}${pad}`
      })
      .join('  ')
      .trimEnd()
  return [
    line(used.map(({ title }) => title)),
    ...clean.map((row) => line(used.map(({ index }) => row[index] ?? ''))),
  ]
    .map((text) => `${text}\n`)
    .join('')
}
