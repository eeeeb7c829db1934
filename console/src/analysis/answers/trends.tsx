import { useMemo } from 'react'
import type { TrendsAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { EmptyState } from '@/ui/empty'
import { DataTable } from '@/ui/data-table'
import { Panel } from '@/ui/page'
import { narrowed, readSeries } from '../question'
import { seriesWords } from '../words'
import { PeopleNumber, runningApart, valueWords, type AnswerProps } from './shared'

type Line = TrendsAnswer['series'][number]

export function Trends({ question, answer, behind, compact }: AnswerProps<TrendsAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const asked = useMemo(() => readSeries(question), [question])
  const hasFormula = typeof question.formula === 'string'
  const broken = question.breakdown !== undefined
  const perSeries = broken ? Math.max(1, Math.round(answer.series.length / Math.max(1, hasFormula ? 1 : asked.length))) : 1
  const nameOf = (line: Line, at: number) => {
    const own = hasFormula ? line.label : asked.length > 0 && !broken ? seriesWords(asked[at] ?? { event: '*', metric: 'count' }, t) : line.label
    return broken ? (asked.length > 1 && !hasFormula ? `${own} · ${valueWords(line.breakdown, t)}` : valueWords(line.breakdown, t)) : own
  }
  const lines = answer.series.map((line, at) => ({ line, name: nameOf(line, at), at }))
  const periods = answer.series[0]?.points.map((point) => point.period) ?? []
  const empty = answer.series.every((line) => line.points.every((point) => (point.value ?? 0) === 0))
  const option = useMemo(
    () => (c: { secondary: string; series: string[] }) => ({
      grid: { left: 8, right: lines.length > 1 ? 120 : 24, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => (typeof value === 'number' ? format.decimal(value) : '—') },
      xAxis: { type: 'category', data: periods, boundaryGap: periods.length < 2 },
      yAxis: { type: 'value', min: 0 },
      series: lines.slice(0, 12).flatMap(({ line, name }, at) => [
        ...runningApart(
          {
            type: 'line',
            name,
            showSymbol: periods.length < 40,
            symbolSize: 5,
            color: c.series[at % c.series.length],
            endLabel: lines.length > 1 ? { show: true, formatter: name.length > 14 ? `${name.slice(0, 13)}…` : name, color: c.series[at % c.series.length] } : { show: false },
          },
          periods,
          line.points.map((point) => point.value),
          answer.partial,
        ),
        ...(line.previous.length > 0 ? [{ type: 'line', name: `${name} · ${t('analysis.previous')}`, data: line.previous.map((point) => point.value), showSymbol: false, lineStyle: { type: 'dashed', opacity: 0.7 }, color: c.series[at % c.series.length] }] : []),
        ...(line.points.some((point) => point.moving_average !== null) ? [{ type: 'line', name: `${name} · ${t('analysis.field.moving_average')}`, data: line.points.map((point) => point.moving_average), showSymbol: false, lineStyle: { width: 3, opacity: 0.45 }, color: c.series[at % c.series.length] }] : []),
      ]),
    }),
    // The lines follow from the answer and the words.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, t, format],
  )
  if (empty && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.empty.about')}
        </EmptyState>
      </Panel>
    )
  }
  const totals = lines.map(({ name, line }) => `${name} ${format.decimal(line.total)}`).join(t('analysis.series.and'))
  const peopleOf = (line: Line, at: number, period: string, name: string) => {
    const series = broken ? Math.floor(at / perSeries) : at
    if (!behind || hasFormula || (broken && line.breakdown === '(other)')) return undefined
    return () => behind({ kind: 'trends', question: broken ? narrowed(question, line.breakdown) : question, which: { series, period }, title: period === '' ? name : `${name} · ${period}` })
  }
  return (
    <>
      <Chart
        id="trends"
        title={t('analysis.kind.trends')}
        summary={totals}
        height={compact ? 220 : 320}
        about={answer.partial !== null && t('analysis.partial', { period: answer.partial })}
        option={option}
        table={{
          columns: [{ title: t('analysis.period') }, ...lines.map(({ name }) => ({ title: name, end: true, show: (value: unknown) => (typeof value === 'number' ? format.decimal(value) : '—') }))],
          rows: periods.map((period, at) => [period, ...lines.map(({ line }) => line.points[at]?.value ?? null)]),
        }}
      />
      {!compact && (
        <Panel title={t('analysis.table')} flush>
          <DataTable<{ period: string; at: number }>
            size="small"
            rowKey="period"
            dataSource={periods.map((period, at) => ({ period, at })).reverse()}
            pagination={periods.length > 31 ? { pageSize: 31, showSizeChanger: false } : false}
            scroll={{ x: 160 + lines.length * 130 }}
            columns={[
              { title: t('analysis.period'), dataIndex: 'period', fixed: 'left' },
              ...lines.map(({ line, name, at }) => ({
                title: name,
                key: String(at),
                align: 'right' as const,
                render: (_: unknown, row: { period: string; at: number }) => {
                  const value = line.points[row.at]?.value ?? null
                  const open = value ? peopleOf(line, at, row.period, name) : undefined
                  return <PeopleNumber open={open} label={t('analysis.people.of', { what: `${name} · ${row.period}` })}>{value === null ? '—' : format.decimal(value)}</PeopleNumber>
                },
              })),
            ]}
            summary={() => (
              <tr>
                <td className="ant-table-cell">{t('analysis.total')}</td>
                {lines.map(({ line, at }) => (
                  <td key={at} className="ant-table-cell" style={{ textAlign: 'end' }}>
                    <PeopleNumber open={line.total ? peopleOf(line, at, '', line.label) : undefined} label={t('analysis.people.of', { what: `${line.label} · ${t('analysis.total')}` })}>
                      <strong className="num">{format.decimal(line.total)}</strong>
                    </PeopleNumber>
                  </td>
                ))}
              </tr>
            )}
          />
        </Panel>
      )}
    </>
  )
}
