import { useMemo } from 'react'
import type { FunnelAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { narrowed, readStep } from '../question'
import { stepWords } from '../words'
import { PeopleNumber, valueWords, type AnswerProps } from './shared'

type Step = FunnelAnswer['steps'][number]

export function Funnel({ question, answer, behind, compact }: AnswerProps<FunnelAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const steps = useMemo(() => (Array.isArray(question.steps) ? (question.steps as unknown[]) : []).map((one) => stepWords(readStep(one), t)), [question.steps, t])
  const names = answer.steps.map((step, at) => `${at + 1}. ${steps[at] ?? step.label}`)
  const first = answer.steps[0]?.people ?? 0
  const last = answer.steps.at(-1)?.people ?? 0
  const counted = answer.counted === 'person' ? t('analysis.people') : answer.counted
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 8, top: 28, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'category', data: names, axisLabel: { interval: 0, width: 130, overflow: 'truncate' } },
      yAxis: { type: 'value', min: 0 },
      series: [
        {
          type: 'bar',
          name: counted,
          data: answer.steps.map((step) => step.people),
          barMaxWidth: 110,
          itemStyle: { color: c.accent, borderRadius: [4, 4, 0, 0] },
          label: { show: true, position: 'top', color: c.text, formatter: ({ dataIndex }: { dataIndex: number }) => `${format.count(answer.steps[dataIndex]?.people)}  ${format.percent(answer.steps[dataIndex]?.from_first, 1)}` },
        },
      ],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, names.join(), format, counted],
  )
  if (first === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.funnel.empty')}
        </EmptyState>
      </Panel>
    )
  }
  const open = (step: number, outcome: 'converted' | 'dropped', of = question, what = '') =>
    behind && (answer.counted === 'person' ? () => behind({ kind: 'funnel', question: of, which: { step, outcome }, title: `${what}${names[step] ?? ''} · ${t(`analysis.funnel.${outcome}`)}` }) : undefined)
  return (
    <>
      <Chart
        id="funnel"
        title={t('analysis.kind.funnel')}
        summary={t('analysis.funnel.summary', { last: format.count(last), first: format.count(first), share: format.percent(first > 0 ? last / first : null, 1) })}
        height={compact ? 220 : 300}
        option={option}
        table={{
          columns: [{ title: t('analysis.step') }, { title: counted, end: true }, { title: t('analysis.funnel.from_first'), end: true, show: (value) => format.percent(value as number | null, 1) }, { title: t('analysis.funnel.from_previous'), end: true, show: (value) => format.percent(value as number | null, 1) }],
          rows: answer.steps.map((step, at) => [names[at] ?? '', step.people, step.from_first, step.from_previous]),
        }}
      />
      {!compact && (
        <>
          <Panel title={t('analysis.table')} flush>
            <DataTable<Step & { at: number }>
              size="small"
              rowKey="at"
              pagination={false}
              scroll={{ x: 860 }}
              dataSource={answer.steps.map((step, at) => ({ ...step, at }))}
              columns={[
                { title: t('analysis.step'), render: (_, one) => names[one.at] },
                { title: counted, align: 'right', render: (_, one) => <PeopleNumber open={one.people > 0 ? open(one.at, 'converted') : undefined} label={t('analysis.people.of', { what: names[one.at] ?? '' })}>{format.count(one.people)}</PeopleNumber> },
                { title: t('analysis.funnel.from_first'), align: 'right', render: (_, one) => <span title={format.ratio(one.people, first)}>{format.percent(one.from_first, 1)} <span className="muted small">{format.ratio(one.people, first)}{one.at > 0 && ` · ${format.percent(one.from_first_low, 1)} – ${format.percent(one.from_first_high, 1)}`}</span></span> },
                {
                  title: t('analysis.funnel.from_previous'),
                  align: 'right',
                  render: (_, one) => {
                    const before = answer.steps[one.at - 1]?.people
                    return before === undefined ? '—' : <span>{format.percent(one.from_previous, 1)} <span className="muted small">{format.ratio(one.people, before)} · {format.percent(one.from_previous_low, 1)} – {format.percent(one.from_previous_high, 1)}</span></span>
                  },
                },
                {
                  title: t('analysis.funnel.dropped'),
                  align: 'right',
                  render: (_, one) => {
                    const before = answer.steps[one.at - 1]?.people
                    if (before === undefined) return '—'
                    return <PeopleNumber open={before > one.people ? open(one.at, 'dropped') : undefined} label={t('analysis.people.of', { what: `${names[one.at] ?? ''} · ${t('analysis.funnel.dropped')}` })}>{format.count(before - one.people)}</PeopleNumber>
                  },
                },
                { title: t('analysis.funnel.median'), align: 'right', render: (_, one) => (one.at === 0 ? '—' : <span title={t('analysis.funnel.p90', { p90: format.duration(one.seconds_from_previous.p90) })}>{format.duration(one.seconds_from_previous.median)}</span>) },
              ]}
            />
          </Panel>
          {answer.breakdown.length > 0 && (
            <Panel title={t('analysis.breakdown')} flush>
              <DataTable<FunnelAnswer['breakdown'][number] & { at: number }>
                size="small"
                rowKey="at"
                pagination={answer.breakdown.length > 25 ? { pageSize: 25, showSizeChanger: false } : false}
                scroll={{ x: 200 + names.length * 150 }}
                dataSource={answer.breakdown.map((one, at) => ({ ...one, at }))}
                columns={[
                  { title: t('analysis.value'), fixed: 'left', render: (_, one) => valueWords(one.value, t) },
                  ...names.map((name, at) => ({
                    title: name,
                    key: name,
                    align: 'right' as const,
                    render: (_: unknown, one: FunnelAnswer['breakdown'][number]) => {
                      const step = one.steps[at]
                      if (!step) return '—'
                      const whole = one.steps[0]?.people ?? 0
                      const can = step.people > 0 && one.value !== '(other)' && typeof question.attribution !== 'string'
                      return (
                        <>
                          <PeopleNumber open={can ? open(at, 'converted', narrowed(question, one.value), `${valueWords(one.value, t)} · `) : undefined} label={t('analysis.people.of', { what: `${valueWords(one.value, t)} · ${name}` })}>{format.count(step.people)}</PeopleNumber>
                          {at > 0 && <div className="muted small" title={format.ratio(step.people, whole)}>{format.percent(step.from_first, 1)}</div>}
                        </>
                      )
                    },
                  })),
                ]}
              />
            </Panel>
          )}
          {answer.trend.length > 0 && <FunnelTrend trend={answer.trend} />}
          {answer.time_to_convert.length > 0 && <TimeToConvert bins={answer.time_to_convert} />}
          {answer.distinguishes.length > 0 && <Distinguishes list={answer.distinguishes} />}
        </>
      )}
    </>
  )
}

function FunnelTrend({ trend }: { trend: FunnelAnswer['trend'] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const share = (one: FunnelAnswer['trend'][number]) => (one.entered > 0 ? one.converted / one.entered : null)
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 16, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', formatter: (items: { dataIndex: number }[]) => { const one = trend[items[0]?.dataIndex ?? 0]; return one ? `${one.period}<br/>${format.percent(share(one), 1)} (${format.ratio(one.converted, one.entered)})` : '' } },
      xAxis: { type: 'category', data: trend.map((one) => one.period) },
      yAxis: { type: 'value', min: 0, axisLabel: { formatter: (value: number) => format.percent(value, 0) } },
      series: [{ type: 'line', data: trend.map(share), color: c.accent, showSymbol: trend.length < 40 }],
    }),
    [trend, format],
  )
  return (
    <Chart
      id="funnel-trend"
      title={t('analysis.funnel.trend')}
      summary={t('analysis.funnel.trend')}
      option={option}
      table={{ columns: [{ title: t('analysis.period') }, { title: t('analysis.funnel.entered'), end: true }, { title: t('analysis.funnel.converted'), end: true }, { title: t('analysis.share'), end: true, show: (value) => format.percent(value as number | null, 1) }], rows: trend.map((one) => [one.period, one.entered, one.converted, share(one)]) }}
    />
  )
}

function TimeToConvert({ bins }: { bins: FunnelAnswer['time_to_convert'] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const names = bins.map((bin) => `${format.duration(bin.from)} – ${format.duration(bin.to)}`)
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 8, top: 24, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'category', data: names },
      yAxis: { type: 'value', min: 0 },
      series: [{ type: 'bar', name: t('analysis.people'), data: bins.map((bin) => bin.people), itemStyle: { color: c.accent }, barMaxWidth: 60 }],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [bins, format, t],
  )
  return <Chart id="funnel-time" title={t('analysis.funnel.time')} summary={t('analysis.funnel.time')} option={option} table={{ columns: [{ title: t('analysis.funnel.time') }, { title: t('analysis.people'), end: true }], rows: bins.map((bin, at) => [names[at] ?? '', bin.people]) }} />
}

function Distinguishes({ list }: { list: FunnelAnswer['distinguishes'] }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <Panel title={t('analysis.distinguish')} about={t('analysis.distinguish.about')} flush>
      <DataTable<FunnelAnswer['distinguishes'][number] & { at: number }>
        size="small"
        rowKey="at"
        pagination={list.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
        scroll={{ x: 760 }}
        dataSource={list.map((one, at) => ({ ...one, at }))}
        columns={[
          { title: t('analysis.distinguish.what'), render: (_, one) => (one.kind === 'event' ? t('analysis.distinguish.did', { event: one.name }) : `${one.name} = ${valueWords(one.value, t)}`) },
          { title: t('analysis.distinguish.with'), align: 'right', render: (_, one) => <span>{format.percent(one.with_it > 0 ? one.with_it_converted / one.with_it : null, 1)} <span className="muted small">{format.ratio(one.with_it_converted, one.with_it)}</span></span> },
          { title: t('analysis.distinguish.without'), align: 'right', render: (_, one) => <span>{format.percent(one.without > 0 ? one.without_converted / one.without : null, 1)} <span className="muted small">{format.ratio(one.without_converted, one.without)}</span></span> },
          { title: t('analysis.distinguish.odds'), align: 'right', render: (_, one) => `${format.fixed(one.odds_ratio, 2)} [${format.fixed(one.low, 2)}, ${format.fixed(one.high, 2)}]` },
          { title: 'p', align: 'right', render: (_, one) => (one.p < 0.001 ? '< 0.001' : format.fixed(one.p, 3)) },
          { title: t('analysis.distinguish.meaning'), render: (_, one) => (one.low > 1 ? t('analysis.distinguish.more') : one.high < 1 ? t('analysis.distinguish.less') : t('analysis.distinguish.nothing')) },
        ]}
      />
    </Panel>
  )
}
