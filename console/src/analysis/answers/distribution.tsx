import { useMemo } from 'react'
import type { DistributionAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { Stats } from '@/ui/stats'
import { narrowed } from '../question'
import { PeopleNumber, valueWords, type AnswerProps } from './shared'

export function Distribution({ question, answer, behind, compact }: AnswerProps<DistributionAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const names = answer.bins.map((bin, at) => (at === answer.bins.length - 1 ? `[${format.decimal(bin.from)}, ${format.decimal(bin.to)}]` : `[${format.decimal(bin.from)}, ${format.decimal(bin.to)})`))
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 8, top: 24, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'category', data: names },
      yAxis: { type: 'value', min: 0 },
      series: [{ type: 'bar', name: t('analysis.people'), data: answer.bins.map((bin) => bin.people), barCategoryGap: '8%', itemStyle: { color: c.accent } }],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, format, t],
  )
  if (answer.people === 0 && !compact) {
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
      {!compact && (
        <Stats
          label={t('analysis.kind.distribution')}
          items={[
            { key: 'people', label: t('analysis.people'), value: format.count(answer.people) },
            { key: 'total', label: t('analysis.total'), value: format.decimal(answer.total) },
            { key: 'mean', label: t('analysis.choice.metric.mean'), value: format.decimal(answer.mean) },
            { key: 'median', label: t('analysis.choice.metric.median'), value: format.decimal(answer.median) },
            { key: 'gini', label: t('analysis.distribution.gini'), value: format.decimal(answer.gini), detail: t('analysis.distribution.gini.about') },
            { key: 'top', label: t('analysis.distribution.top'), value: format.percent(answer.top20_share, 1), detail: t('analysis.distribution.top.about') },
          ]}
        />
      )}
      <Chart id="distribution" title={t('analysis.kind.distribution')} summary={t('analysis.distribution.summary', { n: answer.people })} height={compact ? 220 : 300} option={option} table={{ columns: [{ title: t('analysis.distribution.bin') }, { title: t('analysis.people'), end: true }], rows: answer.bins.map((bin, at) => [names[at] ?? '', bin.people]) }} />
      {!compact && (
        <Panel title={t('analysis.table')} flush>
          <DataTable<{ name: string; people: number; at: number }>
            size="small"
            rowKey="name"
            dataSource={answer.bins.map((bin, at) => ({ name: names[at] ?? '', people: bin.people, at }))}
            pagination={answer.bins.length > 60 ? { pageSize: 60, showSizeChanger: false } : false}
            columns={[
              { title: t('analysis.distribution.bin'), dataIndex: 'name' },
              { title: t('analysis.people'), align: 'right', render: (_, row) => <PeopleNumber open={behind && row.people > 0 ? () => behind({ kind: 'distribution', question, which: { bin: row.at }, title: row.name }) : undefined} label={t('analysis.people.of', { what: row.name })}>{format.count(row.people)}</PeopleNumber> },
              { title: t('analysis.share'), width: '45%', render: (_, row) => <ShareBar share={row.people / answer.people} text={`${format.percent(row.people / answer.people, 1)}  ${format.ratio(row.people, answer.people)}`} /> },
            ]}
          />
        </Panel>
      )}
      {!compact && answer.breakdown.length > 0 && (
        <Panel title={t('analysis.breakdown')} flush>
          <DataTable<DistributionAnswer['breakdown'][number] & { at: number }>
            size="small"
            rowKey="at"
            dataSource={answer.breakdown.map((one, at) => ({ ...one, at }))}
            pagination={answer.breakdown.length > 25 ? { pageSize: 25, showSizeChanger: false } : false}
            columns={[
              { title: t('analysis.value'), render: (_, one) => valueWords(one.value, t) },
              { title: t('analysis.people'), align: 'right', render: (_, one) => <PeopleNumber open={behind && one.value !== '(other)' ? () => behind({ kind: 'distribution', question: narrowed(question, one.value), which: { bin: -1 }, title: valueWords(one.value, t) }) : undefined} label={t('analysis.people.of', { what: valueWords(one.value, t) })}>{format.count(one.people)}</PeopleNumber> },
              { title: t('analysis.choice.metric.mean'), align: 'right', render: (_, one) => format.decimal(one.mean) },
              { title: t('analysis.choice.metric.median'), align: 'right', render: (_, one) => format.decimal(one.median) },
            ]}
          />
        </Panel>
      )}
    </>
  )
}
