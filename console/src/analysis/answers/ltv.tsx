import { useMemo } from 'react'
import type { LtvAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useWorkspace } from '@/shell/session'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { PeopleNumber, type AnswerProps } from './shared'

type Row = LtvAnswer['rows'][number]

export function Ltv({ question, answer, behind, compact }: AnswerProps<LtvAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const { currency } = useWorkspace()
  const unit = (question.property ?? 'amount') === 'amount' ? t('analysis.in_currency', { currency }) : ''
  const columns = answer.average.map((_, at) => String(at))
  const rows = answer.rows.filter((row) => row.people > 0)
  const option = useMemo(
    () => (c: Colors) => ({
      legend: compact ? undefined : { type: 'scroll', top: 0, left: 0, right: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 3, textStyle: { color: c.text }, data: [...rows.slice(-12).map((row) => row.period), t('analysis.ltv.average')] },
      grid: { left: 8, right: 70, top: compact ? 16 : 34, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => (typeof value === 'number' ? format.decimal(value) : '—') },
      xAxis: { type: 'category', data: columns, boundaryGap: false },
      yAxis: { type: 'value', min: 0 },
      series: [
        ...rows.slice(-12).map((row, at) => ({ type: 'line', name: row.period, data: row.value, showSymbol: false, color: c.series[(at + 1) % c.series.length], lineStyle: { width: 1.2, opacity: 0.65 } })),
        { type: 'line', name: t('analysis.ltv.average'), data: answer.average, color: c.accent, lineStyle: { width: 3 }, symbolSize: 6, endLabel: { show: true, formatter: t('analysis.ltv.average'), color: c.accentText } },
      ],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, format, t],
  )
  if (rows.length === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.ltv.empty')}
        </EmptyState>
      </Panel>
    )
  }
  return (
    <>
      <Chart
        id="ltv"
        title={t('analysis.kind.ltv')}
        about={`${t('analysis.ltv.about')}${unit}`}
        summary={t('analysis.ltv.summary', { value: format.decimal(answer.average.filter((one) => one !== null).at(-1)) })}
        height={compact ? 220 : 320}
        option={option}
        table={{ columns: [{ title: t('analysis.ltv.cohort') }, { title: t('analysis.people'), end: true }, ...columns.map((name) => ({ title: name, end: true, show: (value: unknown) => format.decimal(value as number | null) }))], rows: rows.map((row) => [row.period, row.people, ...row.value]) }}
      />
      {!compact && (
        <Panel title={t('analysis.ltv.cohorts')} about={t('analysis.ltv.cohorts.about')} flush>
          <DataTable<Row>
            size="small"
            rowKey="period"
            dataSource={[...rows].reverse()}
            pagination={rows.length > 36 ? { pageSize: 36, showSizeChanger: false } : false}
            scroll={{ x: 220 + columns.length * 92 }}
            columns={[
              { title: t('analysis.ltv.cohort'), dataIndex: 'period', fixed: 'left', width: 120 },
              { title: t('analysis.people'), align: 'right', render: (_, row) => <PeopleNumber open={behind && (() => behind({ kind: 'ltv', question, which: { period: row.period, column: 0, paying: false }, title: `${t('analysis.ltv.cohort')} ${row.period}` }))} label={t('analysis.people.of', { what: row.period })}>{format.count(row.people)}</PeopleNumber> },
              ...columns.map((name, at) => ({
                title: name,
                key: name,
                align: 'right' as const,
                render: (_: unknown, row: Row) => {
                  const value = row.value[at] ?? null
                  if (value === null) return ''
                  const paying = row.paying[at] ?? null
                  return (
                    <>
                      <span className="num">{format.decimal(value)}</span>
                      {paying !== null && (
                        <div className="muted small" title={t('analysis.ltv.paying', { ratio: format.ratio(Math.round(paying * row.people), row.people) })}>
                          <PeopleNumber open={behind && paying > 0 ? () => behind({ kind: 'ltv', question, which: { period: row.period, column: at, paying: true }, title: `${t('analysis.ltv.cohort')} ${row.period} · ${name}` }) : undefined} label={t('analysis.people.of', { what: `${row.period} · ${name}` })}>
                            {format.percent(paying, 0)}
                          </PeopleNumber>
                        </div>
                      )}
                    </>
                  )
                },
              })),
            ]}
          />
        </Panel>
      )}
    </>
  )
}
