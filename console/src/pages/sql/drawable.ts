import type { SqlResult } from '@/api/types'

export const numeric = /INT|DECIMAL|DOUBLE|FLOAT|NUMERIC|REAL/i
const temporal = /DATE|TIMESTAMP/i

/** More marks than these cannot be told apart. */
export const MOST_MARKS = 400

export interface Drawing {
  kind: 'line' | 'bar'
  across: string
  marks: string[]
  lines: { name: string; values: (number | null)[] }[]
}

function label(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * What can be drawn of a result: its first column that is no number goes across, and any numeric column but uid is drawn
 * over it. Nothing where there is no such pair, or where a mark comes twice and one would hide the other.
 */
export function drawable(result: SqlResult): Drawing | null {
  const at = result.columns.findIndex((column) => !numeric.test(column.type))
  const across = result.columns[at]
  const numbers = result.columns.flatMap((column, n) => (numeric.test(column.type) && column.name.toLowerCase() !== 'uid' ? [n] : []))
  if (!across || numbers.length === 0 || result.rows.length < 2) return null
  let rows = result.rows.slice(0, MOST_MARKS)
  const inTime = temporal.test(across.type) || rows.every((row) => /^\d{4}-\d{2}/.test(label(row[at])))
  // Days and months as the engine writes them sort as text; a line that goes back in time would say nothing.
  if (inTime) rows = [...rows].sort((a, b) => (label(a[at]) < label(b[at]) ? -1 : 1))
  const marks = rows.map((row) => label(row[at]))
  if (new Set(marks).size < marks.length) return null
  return {
    kind: inTime ? 'line' : 'bar',
    across: across.name,
    marks,
    lines: numbers.map((n) => ({
      name: result.columns[n]?.name ?? '',
      values: rows.map((row) => (row[n] === null || row[n] === undefined ? null : Number(row[n]))),
    })),
  }
}
