import { Select } from 'antd'
import { useCallback, useMemo } from 'react'
import { Chart } from '@/chart/chart'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { useUrlState } from '@/url/use-url-state'
import { MOST_MARKS, type Drawing } from './drawable'

/** One numeric column of a result over the column that names its rows. */
export function ResultChart({ drawing, rows }: { drawing: Drawing; rows: number }) {
  const { t } = useLanguage()
  const url = useUrlState()
  const line = drawing.lines.find((one) => one.name === url.get('column')) ?? drawing.lines[0]

  const option = useCallback(
    (c: Colors) => ({
      tooltip: { trigger: 'axis', axisPointer: { type: drawing.kind === 'line' ? 'line' : 'shadow' } },
      grid: { left: 4, right: 16, top: 12, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: { type: 'category', data: drawing.marks, axisLabel: { color: c.text, hideOverlap: true, width: 110, overflow: 'truncate' } },
      yAxis: { type: 'value', axisLabel: { color: c.secondary } },
      series: [
        drawing.kind === 'line'
          ? { type: 'line', name: line?.name, data: line?.values, showSymbol: drawing.marks.length < 60, itemStyle: { color: c.series[0] }, lineStyle: { color: c.series[0] } }
          : { type: 'bar', name: line?.name, data: line?.values, barMaxWidth: 32, itemStyle: { color: c.series[0] } },
      ],
    }),
    [drawing, line],
  )
  const table = useMemo(
    () => ({
      columns: [{ title: drawing.across }, { title: line?.name ?? '', end: true }],
      rows: drawing.marks.map((mark, at) => [mark, line?.values[at] ?? null]),
    }),
    [drawing, line],
  )
  if (!line) return null
  const known = line.values.filter((value): value is number => value !== null)
  return (
    <Chart
      id="sql"
      title={t('sql.chart.title', { column: line.name, across: drawing.across })}
      about={rows > MOST_MARKS ? t('sql.chart.first', { n: MOST_MARKS, rows }) : undefined}
      summary={t('sql.chart.summary', { n: drawing.marks.length, least: Math.min(...known), most: Math.max(...known) })}
      height={320}
      table={table}
      option={option}
      extra={
        drawing.lines.length > 1 && (
          <Select size="small" aria-label={t('sql.chart.column')} value={line.name} options={drawing.lines.map((one) => ({ value: one.name, label: one.name }))} onChange={(name) => url.set({ column: name })} popupMatchSelectWidth={false} />
        )
      }
    />
  )
}
