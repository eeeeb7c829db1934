import { useMemo } from 'react'
import type { StickinessAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { PeopleNumber, valueWords, type AnswerProps } from './shared'

export function Stickiness({ question, answer, behind, compact }: AnswerProps<StickinessAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const cumulative = question.cumulative === true
  const whole = cumulative ? (answer.people[0] ?? 0) : answer.people.reduce((sum, n) => sum + n, 0)
  const rows = answer.active_periods.map((periods, at) => ({ periods, people: answer.people[at] ?? 0 }))
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 8, top: 24, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'category', data: answer.active_periods },
      yAxis: { type: 'value', min: 0 },
      series: [{ type: 'bar', name: t('analysis.people'), data: answer.people, itemStyle: { color: c.accent, borderRadius: [3, 3, 0, 0] }, barMaxWidth: 50 }],
    }),
    [answer, t],
  )
  if (whole === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.empty.about')}
        </EmptyState>
      </Panel>
    )
  }
  return (
    <>
      <Chart
        id="stickiness"
        title={t('analysis.kind.stickiness')}
        about={`${t(cumulative ? 'analysis.stickiness.cumulative' : 'analysis.stickiness.about')}${answer.partial === null ? '' : t('analysis.partial.more', { period: answer.partial })}`}
        summary={t('analysis.stickiness.summary', { n: whole })}
        height={compact ? 220 : 300}
        option={option}
        table={{ columns: [{ title: t('analysis.stickiness.periods') }, { title: t('analysis.people'), end: true }], rows: rows.map((row) => [row.periods, row.people]) }}
      />
      {!compact && (
        <Panel title={t('analysis.table')} flush>
          <DataTable<{ periods: number; people: number }>
            size="small"
            rowKey="periods"
            dataSource={rows}
            pagination={rows.length > 60 ? { pageSize: 60, showSizeChanger: false } : false}
            columns={[
              { title: t('analysis.stickiness.periods'), dataIndex: 'periods' },
              {
                title: t('analysis.people'),
                align: 'right',
                render: (_, row) => {
                  const title = t('analysis.stickiness.active', { n: row.periods })
                  return (
                    <PeopleNumber open={behind && row.people > 0 ? () => behind({ kind: 'stickiness', question, which: { active_periods: row.periods }, title }) : undefined} label={t('analysis.people.of', { what: title })}>
                      {format.count(row.people)}
                    </PeopleNumber>
                  )
                },
              },
              { title: t('analysis.share'), width: '40%', render: (_, row) => {
                const one = answer.shares[answer.active_periods.indexOf(row.periods)]
                return <ShareBar share={one?.share ?? 0} text={`${format.percent(one?.share ?? null, 1)}  ${format.ratio(row.people, one?.of ?? 0)} · ${format.percent(one?.low ?? null, 1)} – ${format.percent(one?.high ?? null, 1)}`} />
              } },
              ...answer.breakdown.map((one, at) => ({ title: valueWords(one.value, t), key: `b${at}`, align: 'right' as const, render: (_: unknown, row: { periods: number }) => format.count(one.people[answer.active_periods.indexOf(row.periods)]) })),
            ]}
            scroll={{ x: 480 + answer.breakdown.length * 110 }}
          />
        </Panel>
      )}
    </>
  )
}
