import { useMemo } from 'react'
import { valueWords } from '@/analysis/answers/shared'
import type { MetricAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useLanguage } from '@/i18n/language'
import { useUnit } from './numbers'

/** A metric over time, a line for each value, with the interval of a single share as a band. */
export function MetricChart({ answer, height = 300, id = 'metric' }: { answer: MetricAnswer; height?: number; id?: string }) {
  const { t } = useLanguage()
  const unit = useUnit()
  const broken = answer.series.length > 1 || (answer.series[0]?.breakdown ?? null) !== null
  const lines = useMemo(() => answer.series.slice(0, 12).map((one) => ({ name: broken ? valueWords(one.breakdown, t) : answer.name, points: one.points })), [answer, broken, t])
  const periods = answer.series[0]?.points.map((point) => point.period) ?? []
  const show = (value: unknown) => (typeof value === 'number' ? unit(value, answer.unit) : '—')
  const option = useMemo(
    () => (c: { secondary: string; series: string[] }) => ({
      grid: { left: 8, right: broken ? 120 : 24, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', valueFormatter: show },
      xAxis: { type: 'category', data: periods, boundaryGap: periods.length < 2 },
      yAxis: { type: 'value', min: 0, axisLabel: { formatter: (value: number) => show(value) } },
      series: [
        ...lines.map(({ name, points }, at) => ({
          type: 'line',
          name,
          data: points.map((point) => (point.period === answer.partial ? null : point.value)),
          showSymbol: periods.length < 40,
          symbolSize: 5,
          color: c.series[at % c.series.length],
          endLabel: broken ? { show: true, formatter: name.length > 14 ? `${name.slice(0, 13)}…` : name, color: c.series[at % c.series.length] } : { show: false },
        })),
        ...(answer.partial === null
          ? []
          : lines.map(({ name, points }, at) => ({ type: 'line', name, data: points.map((point, number) => (point.period === answer.partial || points[number + 1]?.period === answer.partial ? point.value : null)), symbolSize: 5, lineStyle: { type: 'dotted' }, color: c.series[at % c.series.length] }))),
        ...(!broken && (lines[0]?.points.some((point) => point.low !== null) ?? false)
          ? [
              { type: 'line', name: '', data: lines[0]?.points.map((point) => point.low) ?? [], stack: 'band', showSymbol: false, lineStyle: { opacity: 0 }, tooltip: { show: false } },
              { type: 'line', name: '', data: lines[0]?.points.map((point) => (point.high === null || point.low === null ? null : point.high - point.low)) ?? [], stack: 'band', showSymbol: false, lineStyle: { opacity: 0 }, areaStyle: { opacity: 0.14 }, color: c.series[0], tooltip: { show: false } },
            ]
          : []),
      ],
    }),
    // The lines follow from the answer.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, lines, unit],
  )
  const summary = answer.series.map((one) => `${broken ? valueWords(one.breakdown, t) : answer.name} ${unit(one.total.value, answer.unit)}`).join(t('analysis.series.and'))
  return (
    <Chart
      id={id}
      title={answer.name}
      summary={summary}
      height={height}
      about={answer.partial !== null && t('analysis.partial', { period: answer.partial })}
      option={option}
      table={{
        columns: [{ title: t('analysis.period') }, ...lines.map(({ name }) => ({ title: name, end: true, show }))],
        rows: periods.map((period, at) => [period, ...lines.map(({ points }) => points[at]?.value ?? null)]),
      }}
    />
  )
}
