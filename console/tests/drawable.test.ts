import { describe, expect, it } from 'vitest'
import { MOST_MARKS, drawable } from '@/pages/sql/drawable'

function result(columns: [string, string][], rows: unknown[][]) {
  return { columns: columns.map(([name, type]) => ({ name, type })), rows, truncated: false, took_ms: 1, as_of: 1 }
}

describe('what can be drawn of a result', () => {
  it('is a line over time and bars over names', () => {
    const months = drawable(result([['month', 'VARCHAR'], ['revenue', 'DECIMAL(18,2)']], [['2026-02', null], ['2026-01', '1.50']]))
    expect(months).toEqual({ kind: 'line', across: 'month', marks: ['2026-01', '2026-02'], lines: [{ name: 'revenue', values: [1.5, null] }] })
    expect(drawable(result([['n', 'BIGINT'], ['event', 'VARCHAR']], [[1, 'view'], [2, null]]))).toMatchObject({ kind: 'bar', marks: ['view', 'NULL'] })
  })
  it('is nothing without a name and a number, of one row, of numbers of people, or where a name comes twice', () => {
    expect(drawable(result([['n', 'BIGINT']], [[1], [2]]))).toBeNull()
    expect(drawable(result([['event', 'VARCHAR'], ['n', 'BIGINT']], [['view', 1]]))).toBeNull()
    expect(drawable(result([['event', 'VARCHAR'], ['uid', 'BIGINT']], [['view', 1], ['buy', 2]]))).toBeNull()
    expect(drawable(result([['event', 'VARCHAR'], ['n', 'BIGINT']], [['view', 1], ['view', 2]]))).toBeNull()
  })
  it('is at most so many marks', () => {
    const many = Array.from({ length: 1000 }, (_, n) => [`p${n}`, n])
    expect(drawable(result([['product', 'VARCHAR'], ['n', 'BIGINT']], many))?.marks.length).toBe(MOST_MARKS)
  })
})
