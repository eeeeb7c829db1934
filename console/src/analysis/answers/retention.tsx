import { useMemo } from 'react'
import type { RetentionAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { readableOn } from '@/chart/heat'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { useAppearance } from '@/theme/theme'
import { CsvButton } from '@/ui/csv-button'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { Stats } from '@/ui/stats'
import { valueWords, type AnswerProps } from './shared'

const LETTER: Record<string, string> = { hour: 'H', day: 'D', week: 'W', month: 'M' }

export function Retention({ question, answer, behind, compact }: AnswerProps<RetentionAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const letter = LETTER[typeof question.interval === 'string' ? question.interval : 'day'] ?? 'D'
  const columns = answer.average.map((_, at) => `${letter}${at}`)
  const people = answer.rows.reduce((sum, row) => sum + row.people, 0)
  const option = useMemo(
    () => (c: Colors) => ({
      grid: { left: 8, right: 16, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
      tooltip: {
        trigger: 'axis',
        formatter: (items: { dataIndex: number }[]) => {
          const at = items[0]?.dataIndex ?? 0
          return `${columns[at] ?? ''}<br/>${format.percent(answer.average[at], 1)} [${format.percent(answer.average_low[at], 1)}, ${format.percent(answer.average_high[at], 1)}]`
        },
      },
      xAxis: { type: 'category', data: columns, boundaryGap: false },
      yAxis: { type: 'value', min: 0, max: 1, axisLabel: { formatter: (value: number) => format.percent(value, 0) } },
      series: [
        { type: 'line', data: answer.average_low, lineStyle: { opacity: 0 }, showSymbol: false, stack: 'band', silent: true },
        { type: 'line', data: answer.average_high.map((high, at) => (high === null ? null : high - (answer.average_low[at] ?? 0))), lineStyle: { opacity: 0 }, areaStyle: { color: c.accent, opacity: 0.16 }, showSymbol: false, stack: 'band', silent: true },
        { type: 'line', data: answer.average, color: c.accent, symbolSize: 6, label: { show: columns.length <= 16, formatter: ({ dataIndex }: { dataIndex: number }) => format.percent(answer.average[dataIndex], 0), color: c.text } },
        ...answer.breakdown.slice(0, 8).map((one, at) => ({ type: 'line', name: valueWords(one.value, t), data: one.average, showSymbol: false, color: c.series[(at + 1) % c.series.length], lineStyle: { width: 1.5 }, endLabel: { show: true, formatter: valueWords(one.value, t), color: c.series[(at + 1) % c.series.length] } })),
      ],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [answer, format, letter, t],
  )
  if (people === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.retention.empty')}
        </EmptyState>
      </Panel>
    )
  }
  // A line a number, with what it is of and its interval; the last column marks a period that is not over.
  const lines = (rows: RetentionAnswer['rows']) => ({
    header: [t('analysis.period'), t('analysis.retention.after'), t('analysis.people'), t('analysis.of'), t('analysis.share'), t('analysis.low'), t('analysis.high'), t('analysis.retention.running')],
    rows: () => rows.flatMap((row) => row.returned.flatMap((n, at) => (n === null ? [] : [[row.period, columns[at] ?? '', n, row.people, row.people > 0 ? n / row.people : null, row.low[at] ?? null, row.high[at] ?? null, row.partial === at]]))),
  })
  const days = Object.entries(answer.n_day).filter(([, share]) => share !== null)
  return (
    <>
      {!compact && days.length > 0 && <Stats label={t('analysis.kind.retention')} items={[...days.map(([name, share]) => ({ key: name, label: t('analysis.retention.n_day', { n: name.replace(/\D/g, '') }), value: format.percent(share, 1), detail: t('analysis.retention.mean') })), { key: 'people', label: t('analysis.retention.people'), value: format.count(people) }]} />}
      <Chart
        id="retention"
        title={t('analysis.retention.curve')}
        about={t('analysis.retention.band')}
        summary={columns.map((name, at) => `${name} ${format.percent(answer.average[at], 1)}`).join(' · ')}
        height={compact ? 220 : 280}
        option={option}
        table={{
          columns: [{ title: t('analysis.period') }, { title: t('analysis.retention.average'), end: true, show: (value) => format.percent(value as number | null, 1) }, { title: t('analysis.low'), end: true, show: (value) => format.percent(value as number | null, 1) }, { title: t('analysis.high'), end: true, show: (value) => format.percent(value as number | null, 1) }],
          rows: columns.map((name, at) => [name, answer.average[at] ?? null, answer.average_low[at] ?? null, answer.average_high[at] ?? null]),
        }}
      />
      {!compact && (
        <Panel title={t('analysis.retention.cohorts')} extra={<CsvButton name="retention-cohorts" {...lines(answer.rows)} />} about={`${t('analysis.retention.cohorts.about')}${question.kind === 'rolling' ? ` ${t('analysis.retention.rolling')}` : ''}`} flush>
          <Cohorts rows={answer.rows} columns={columns} open={behind && ((period, column) => behind({ kind: 'retention', question, which: { period, column, came: true }, title: `${period} · ${columns[column] ?? ''}` }))} />
        </Panel>
      )}
      {!compact &&
        answer.breakdown.map((one, at) => (
          <Panel key={at} title={valueWords(one.value, t)} extra={<CsvButton name={`retention-cohorts-${at + 1}`} {...lines(one.rows)} />} flush>
            <Cohorts rows={one.rows} columns={columns} />
          </Panel>
        ))}
    </>
  )
}

interface CohortsProps {
  rows: RetentionAnswer['rows']
  columns: string[]
  open?: ((period: string, column: number) => void) | undefined
}

/** The triangle: a cell says its share; its title the two numbers and the interval. A period that has not come is empty. */
function Cohorts({ rows, columns, open }: CohortsProps) {
  const { t } = useLanguage()
  const format = useFormat()
  const { colors } = useAppearance()
  const shade = (share: number) => colors.heat[Math.min(colors.heat.length - 1, Math.floor(Math.sqrt(share) * colors.heat.length))] ?? colors.line
  return (
    // A region that scrolls must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="scroll-x scroll-y" style={{ maxHeight: 560 }} role="group" aria-label={t('analysis.retention.cohorts')} tabIndex={0}>
      <table className="plain cohorts">
        <thead>
          <tr>
            <th scope="col">{t('analysis.period')}</th>
            <th scope="col" className="end">
              {t('analysis.people')}
            </th>
            {columns.map((name) => (
              <th key={name} scope="col" className="end">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.period}>
              <th scope="row">{row.period}</th>
              <td className="end">{format.count(row.people)}</td>
              {row.returned.map((n, at) => {
                if (n === null) return <td key={at} />
                const share = row.people > 0 ? n / row.people : null
                const ground = share === null ? colors.surface : shade(share)
                const words = `${format.percent(share, 1)} = ${format.ratio(n, row.people)} [${format.percent(row.low[at], 1)}, ${format.percent(row.high[at], 1)}]${row.partial === at ? ` · ${t('analysis.retention.running')}` : ''}`
                return (
                  <td key={at} className="end cell" style={{ background: ground, color: readableOn(ground), ...(row.partial === at ? { fontStyle: 'italic', outline: '1px dashed var(--lineStrong)', outlineOffset: -2 } : {}) }} title={words}>
                    {open && n > 0 ? (
                      <button type="button" className="bare" aria-label={`${row.period} · ${columns[at] ?? ''}${t('colon')}${words}`} onClick={() => open(row.period, at)}>
                        {format.percent(share, 1)}
                      </button>
                    ) : (
                      format.percent(share, 1)
                    )}
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
