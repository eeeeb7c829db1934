import { useCallback, useMemo } from 'react'
import type { Layering, Matrix } from '@/api/types'
import { Chart } from '@/chart/chart'
import { heatOption } from '@/chart/heat'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { useUrlState } from '@/url/use-url-state'

/** A two-way layering as its own table of fields; a field opens its people. */
export function MatrixMap({ layering, matrix }: { layering: Layering; matrix: Matrix }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  // Reading order is from the top; the chart's axis counts from the bottom.
  const rows = useMemo(() => [...matrix.rows].reverse(), [matrix])
  const cellAt = useCallback((row: number, column: number) => matrix.cells.find((cell) => cell.row === rows[row]?.key && cell.column === matrix.columns[column]?.key), [matrix, rows])
  const name = useCallback((one: { key: string; name?: Matrix['rows'][number]['name'] } | undefined) => (one ? pick(one.name) || one.key : ''), [pick])
  const values = useMemo(() => rows.map((_, j) => matrix.columns.map((__, i) => cellAt(j, i)?.people ?? 0)), [rows, matrix, cellAt])

  const option = useCallback(
    (c: Colors) =>
      heatOption(c, {
        rows: rows.map(name),
        columns: matrix.columns.map(name),
        rowName: '',
        columnName: '',
        values,
        label: (value) => format.compact(value),
        tooltip: (row, column, value) => `${name(rows[row])} · ${name(matrix.columns[column])}<br/><b>${t('unit.people', { n: value })}</b><br/>${format.money(cellAt(row, column)?.revenue ?? 0, layering.currency)}`,
      }),
    [rows, matrix, values, name, format, t, cellAt, layering.currency],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('layering.matrix.row') },
        { title: t('layering.matrix.column') },
        { title: t('layering.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: `${t('layering.revenue')} (${layering.currency})`, end: true, show: (value: unknown) => format.decimal(Number(value)) },
      ],
      rows: matrix.cells.map((cell) => [name(matrix.rows.find((one) => one.key === cell.row)), name(matrix.columns.find((one) => one.key === cell.column)), cell.people, format.major(cell.revenue, layering.currency)]),
    }),
    [matrix, name, format, t, layering.currency],
  )
  return (
    <Chart
      id="matrix"
      title={t('layering.matrix')}
      about={t('layering.matrix.about')}
      summary={t('compare.summary', { n: layering.people })}
      height={340}
      table={table}
      option={option}
      onClick={(event) => {
        const value = event.value as [number, number, number] | undefined
        const layer = value ? cellAt(value[1], value[0])?.layer : undefined
        if (layer) url.set({ layer }, { push: true })
      }}
    />
  )
}
