import { useMemo } from 'react'
import type { LifecycleAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { PeopleNumber, valueWords, type AnswerProps } from './shared'

const STATES = ['new', 'returning', 'resurrecting', 'dormant'] as const

export function Lifecycle({ question, answer, behind, compact }: AnswerProps<LifecycleAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const empty = STATES.every((state) => answer[state].every((n) => n === 0))
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 110, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'category', data: answer.periods },
      yAxis: { type: 'value' },
      series: STATES.map((state, at) => ({
        type: 'bar',
        stack: 'all',
        name: t(`analysis.state.${state}`),
        // The running period is not over: its bars are pale.
        data: answer[state].map((value, number) => (answer.periods[number] === answer.partial ? { value, itemStyle: { opacity: 0.4 } } : value)),
        color: [c.series[0], c.series[1], c.series[2], c.series[10]][at],
        barMaxWidth: 40,
      })),
    }),
    [answer, t],
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
  const rows = answer.periods.map((period, at) => ({ period, at })).reverse()
  return (
    <>
      <Chart
        id="lifecycle"
        title={t('analysis.kind.lifecycle')}
        about={answer.partial === null ? t('analysis.lifecycle.about') : `${t('analysis.lifecycle.about')}${t('analysis.partial.pale', { period: answer.partial })}`}
        summary={STATES.map((state) => `${t(`analysis.state.${state}`)} ${format.count(answer[state].at(-1))}`).join(' · ')}
        height={compact ? 220 : 320}
        option={option}
        extra={
          <span className="row small">
            {STATES.map((state, at) => (
              <span key={state}>
                <span className="dot" style={{ background: `var(--series-${[0, 1, 2, 10][at] ?? 0})` }} aria-hidden="true" />
                {t(`analysis.state.${state}`)}
              </span>
            ))}
          </span>
        }
        table={{ columns: [{ title: t('analysis.period') }, ...STATES.map((state) => ({ title: t(`analysis.state.${state}`), end: true }))], rows: answer.periods.map((period, at) => [period, ...STATES.map((state) => answer[state][at] ?? null)]) }}
      />
      {!compact && (
        <Panel title={t('analysis.table')} flush>
          <DataTable<{ period: string; at: number }>
            size="small"
            rowKey="period"
            dataSource={rows}
            pagination={rows.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
            scroll={{ x: 600 }}
            columns={[
              { title: t('analysis.period'), dataIndex: 'period' },
              ...STATES.map((state) => ({
                title: t(`analysis.state.${state}`),
                key: state,
                align: 'right' as const,
                render: (_: unknown, row: { period: string; at: number }) => {
                  const n = answer[state][row.at] ?? 0
                  const title = `${row.period} · ${t(`analysis.state.${state}`)}`
                  return (
                    <PeopleNumber open={behind && n !== 0 ? () => behind({ kind: 'lifecycle', question, which: { period: row.period, state }, title }) : undefined} label={t('analysis.people.of', { what: title })}>
                      {format.count(n)}
                    </PeopleNumber>
                  )
                },
              })),
            ]}
          />
        </Panel>
      )}
      {!compact &&
        answer.breakdown.map((one, at) => (
          <Panel key={at} title={valueWords(one.value, t)} flush>
            <DataTable<{ period: string; at: number }>
              size="small"
              rowKey="period"
              dataSource={rows}
              pagination={rows.length > 12 ? { pageSize: 12, showSizeChanger: false } : false}
              scroll={{ x: 600 }}
              columns={[
                { title: t('analysis.period'), dataIndex: 'period' },
                ...STATES.map((state) => ({
                  title: t(`analysis.state.${state}`),
                  key: state,
                  align: 'right' as const,
                  render: (_: unknown, row: { period: string; at: number }) => format.count(one[state][row.at]),
                })),
              ]}
            />
          </Panel>
        ))}
    </>
  )
}
