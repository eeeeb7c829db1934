import { useCallback, useMemo } from 'react'
import type { ClvResult } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'

export function CalibrationChart({ holdout }: { holdout: NonNullable<ClvResult['holdout']> }) {
  const { t } = useLanguage()
  const format = useFormat()
  const rows = holdout.calibration
  const option = useCallback(
    (c: Colors) => {
      const line = (name: string, color: string | undefined, values: number[], dashed: boolean) => ({
        name,
        type: 'line',
        data: values,
        symbol: 'circle',
        symbolSize: 8,
        itemStyle: { color },
        lineStyle: { color, width: 2.5, type: dashed ? 'dashed' : 'solid' },
        endLabel: { show: true, formatter: name, color, fontSize: 12, distance: 8 },
        labelLayout: { moveOverlap: 'shiftY' },
      })
      return {
        grid: { left: 10, right: 76, top: 14, bottom: 26, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
        tooltip: {
          trigger: 'axis',
          formatter: (items: { dataIndex: number }[]) => {
            const row = rows[items[0]?.dataIndex ?? -1]
            return row ? `${t('clv.frequency')} ${row.frequency} · ${t('unit.people', { n: row.people })}<br/>${t('clv.actual')} <b>${format.fixed(row.actual, 2)}</b> · ${t('clv.forecast')} <b>${format.fixed(row.expected, 2)}</b>` : ''
          },
        },
        xAxis: { type: 'category', data: rows.map((row) => String(row.frequency)), name: t('clv.frequency'), nameLocation: 'middle', nameGap: 28, boundaryGap: false },
        yAxis: { type: 'value', min: 0, axisLabel: { formatter: (value: number) => format.decimal(value, 1) } },
        series: [
          line(t('clv.actual'), c.series[0], rows.map((row) => row.actual), false),
          line(t('clv.forecast'), c.series[2], rows.map((row) => row.expected), true),
        ],
      }
    },
    [rows, format, t],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('clv.frequency') },
        { title: t('layering.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('clv.actual'), end: true, show: (value: unknown) => format.fixed(Number(value), 3) },
        { title: t('clv.forecast'), end: true, show: (value: unknown) => format.fixed(Number(value), 3) },
      ],
      rows: rows.map((row) => [row.frequency, row.people, row.actual, row.expected]),
    }),
    [rows, format, t],
  )
  return (
    <Chart
      id="calibration"
      title={t('clv.holdout')}
      about={t('clv.holdout.about', { from: format.day(holdout.from), to: format.day(holdout.to) })}
      summary={t('clv.holdout.summary', { actual: holdout.actual_total, expected: Math.round(holdout.expected_total) })}
      height={330}
      table={table}
      option={option}
    />
  )
}
