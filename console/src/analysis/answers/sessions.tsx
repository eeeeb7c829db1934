import { useMemo } from 'react'
import type { SessionsAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { Stats } from '@/ui/stats'
import { PeopleNumber, runningApart, valueWords, type AnswerProps } from './shared'

type Numbers = SessionsAnswer['total']

export function Sessions({ question, answer, behind, compact }: AnswerProps<SessionsAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const { total } = answer
  const option = useMemo(
    () => (c: Colors) => ({
      legend: { top: 0, right: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 3, textStyle: { color: c.text }, data: [t('analysis.sessions.sessions'), t('analysis.people')] },
      grid: { left: 8, right: 16, top: 30, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'category', data: answer.periods.map((one) => one.period) },
      yAxis: { type: 'value', min: 0 },
      series: [
        ...runningApart({ type: 'line', name: t('analysis.sessions.sessions'), color: c.accent, showSymbol: answer.periods.length < 40 }, answer.periods.map((one) => one.period), answer.periods.map((one) => one.numbers.sessions), answer.partial),
        ...runningApart({ type: 'line', name: t('analysis.people'), color: c.series[1], showSymbol: false }, answer.periods.map((one) => one.period), answer.periods.map((one) => one.numbers.people), answer.partial),
      ],
    }),
    [answer, t],
  )
  if (total.sessions === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.empty.about')}
        </EmptyState>
      </Panel>
    )
  }
  const between = (one: Numbers) => `${format.percent(one.bounced_low, 1)} – ${format.percent(one.bounced_high, 1)}`
  const bounced = (one: Numbers) => (one.bounced === null ? '—' : <span>{format.percent(one.bounced, 1)} <span className="muted small" title={t('analysis.interval')}>{format.ratio(Math.round(one.bounced * one.sessions), one.sessions)} · {between(one)}</span></span>)
  // Who began a session in a period; of a breakdown's rows the number alone, as a session has its first event's value.
  const peopleOf = (one: { numbers: Numbers; period?: string }, n: number, single: boolean) => {
    const { period } = one
    if (!behind || period === undefined || n === 0) return undefined
    return () => behind({ kind: 'sessions', question, which: { period, bounced: single }, title: `${single ? t('analysis.sessions.bounced') : t('analysis.sessions.sessions')} · ${period}` })
  }
  const columns = [
    { title: t('analysis.sessions.sessions'), key: 'sessions', align: 'right' as const, render: (_: unknown, one: { numbers: Numbers }) => format.count(one.numbers.sessions) },
    { title: t('analysis.people'), key: 'people', align: 'right' as const, render: (_: unknown, one: { numbers: Numbers; period?: string }) => <PeopleNumber open={peopleOf(one, one.numbers.people, false)} label={t('analysis.people.of', { what: one.period ?? '' })}>{format.count(one.numbers.people)}</PeopleNumber> },
    { title: t('analysis.sessions.per_person'), key: 'per', align: 'right' as const, render: (_: unknown, one: { numbers: Numbers }) => format.decimal(one.numbers.per_person) },
    { title: t('analysis.sessions.length'), key: 'length', align: 'right' as const, render: (_: unknown, one: { numbers: Numbers }) => format.duration(one.numbers.mean_seconds) },
    { title: t('analysis.sessions.events'), key: 'events', align: 'right' as const, render: (_: unknown, one: { numbers: Numbers }) => format.decimal(one.numbers.mean_events) },
    { title: t('analysis.sessions.bounced'), key: 'bounced', align: 'right' as const, render: (_: unknown, one: { numbers: Numbers; period?: string }) => <PeopleNumber open={peopleOf(one, one.numbers.bounced ?? 0, true)} label={t('analysis.people.of', { what: `${t('analysis.sessions.bounced')} · ${one.period ?? ''}` })}>{bounced(one.numbers)}</PeopleNumber> },
  ]
  return (
    <>
      {!compact && (
        <Stats
          label={t('analysis.kind.sessions')}
          items={[
            { key: 'n', label: t('analysis.sessions.sessions'), value: format.count(total.sessions) },
            { key: 'people', label: t('analysis.people'), value: <PeopleNumber open={behind && (() => behind({ kind: 'sessions', question, which: { period: '', bounced: false }, title: t('analysis.kind.sessions') }))} label={t('analysis.people.of', { what: t('analysis.kind.sessions') })}>{format.count(total.people)}</PeopleNumber>, detail: t('analysis.sessions.each', { n: format.decimal(total.per_person) }) },
            { key: 'length', label: t('analysis.sessions.length'), value: <span style={{ fontSize: 19 }}>{format.duration(total.mean_seconds)}</span>, detail: t('analysis.sessions.median', { length: format.duration(answer.median_seconds) }) },
            { key: 'events', label: t('analysis.sessions.events'), value: format.decimal(total.mean_events) },
            { key: 'bounced', label: t('analysis.sessions.bounced'), value: format.percent(total.bounced, 1), detail: total.bounced === null ? undefined : `${format.ratio(Math.round(total.bounced * total.sessions), total.sessions)} · ${between(total)}` },
          ]}
        />
      )}
      <Chart id="sessions" title={t('analysis.kind.sessions')} about={answer.partial !== null && t('analysis.partial', { period: answer.partial })} summary={t('analysis.sessions.summary', { n: total.sessions, people: total.people })} height={compact ? 220 : 280} option={option} table={{ columns: [{ title: t('analysis.period') }, { title: t('analysis.sessions.sessions'), end: true }, { title: t('analysis.people'), end: true }], rows: answer.periods.map((one) => [one.period, one.numbers.sessions, one.numbers.people]) }} />
      {!compact && (
        <Panel title={t('analysis.table')} flush>
          <DataTable<SessionsAnswer['periods'][number]> size="small" rowKey="period" dataSource={[...answer.periods].reverse()} pagination={answer.periods.length > 50 ? { pageSize: 50, showSizeChanger: false } : false} scroll={{ x: 820 }} columns={[{ title: t('analysis.period'), dataIndex: 'period' }, ...columns]} />
        </Panel>
      )}
      {!compact && answer.breakdown.length > 0 && (
        <Panel title={t('analysis.breakdown')} flush>
          <DataTable<SessionsAnswer['breakdown'][number] & { at: number }> size="small" rowKey="at" dataSource={answer.breakdown.map((one, at) => ({ ...one, at }))} pagination={answer.breakdown.length > 25 ? { pageSize: 25, showSizeChanger: false } : false} scroll={{ x: 820 }} columns={[{ title: t('analysis.value'), render: (_, one) => valueWords(one.value, t) }, ...columns]} />
        </Panel>
      )}
    </>
  )
}
