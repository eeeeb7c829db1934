export type Cell = string | number | boolean | null | undefined

/** A text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers. */
function safe(value: Cell): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return String(value)
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
}

/** RFC 4180 with a byte order mark, so that Excel reads Chinese. */
export function toCsv(header: string[], rows: Cell[][]): string {
  const line = (cells: Cell[]) =>
    cells
      .map((cell) => {
        const text = safe(cell)
        return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
      })
      .join(',')
  return `\uFEFF${[header, ...rows].map(line).join('\r\n')}\r\n`
}
