import { useCallback, useMemo } from 'react'
import type { ImportSummary } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { reasonText } from '../../quarantine/reasons'
import { wordOr } from '../words'

/** read = accepted + duplicate + quarantined + skipped, as a picture and a table. */
export function RowFates({ summary }: { summary: ImportSummary }) {
  const { t } = useLanguage()
  const format = useFormat()
  const rows = useMemo(() => {
    const reasons = Object.entries(summary.quarantined)
    const rules = Object.entries(summary.skipped)
    return [
      { label: t('imports.adds.accepted'), n: summary.rows_accepted, tone: 'accent' },
      { label: t('imports.adds.duplicate'), n: summary.rows_duplicate, tone: 'grey' },
      ...(reasons.length > 0 ? reasons.map(([reason, n]) => ({ label: t('imports.adds.reason', { reason: reasonText(t, reason) }), n, tone: 'bad' })) : [{ label: t('imports.adds.quarantined'), n: summary.rows_quarantined, tone: 'bad' }]),
      ...(rules.length > 0 ? rules.map(([rule, n]) => ({ label: t('imports.adds.rule', { rule: wordOr(t, `imports.rule.${rule}`, rule) }), n, tone: 'grey' })) : [{ label: t('imports.adds.skipped'), n: summary.rows_skipped, tone: 'grey' }]),
    ]
  }, [summary, t])
  const sum = summary.rows_accepted + summary.rows_duplicate + summary.rows_quarantined + summary.rows_skipped

  const option = useCallback(
    (c: Colors) => ({
      grid: { left: 4, right: 150, top: 0, bottom: 0, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: { type: 'value', min: 0, show: false },
      yAxis: { type: 'category', inverse: true, data: rows.map((row) => row.label), axisLine: { show: false }, axisLabel: { color: c.text, width: 170, overflow: 'truncate' } },
      series: [
        {
          type: 'bar',
          barMaxWidth: 16,
          data: rows.map((row) => ({ value: row.n, itemStyle: { color: row.tone === 'accent' ? c.series[0] : row.tone === 'bad' ? c.bad : c.series[10], borderRadius: [0, 3, 3, 0] } })),
          label: { show: true, position: 'right', color: c.text, formatter: (item: { value: number }) => `${format.count(item.value)}  ${format.percent(summary.rows_read === 0 ? 0 : item.value / summary.rows_read)}` },
        },
      ],
    }),
    [rows, format, summary.rows_read],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('imports.adds.fate') },
        { title: t('imports.adds.rows'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('imports.adds.share'), end: true, show: (value: unknown) => format.percent(Number(value)) },
      ],
      rows: rows.map((row) => [row.label, row.n, summary.rows_read === 0 ? 0 : row.n / summary.rows_read]),
    }),
    [rows, summary.rows_read, format, t],
  )
  return (
    <Chart
      id="rows"
      title={t('imports.adds')}
      about={t('imports.adds.ok', { read: summary.rows_read, sum })}
      summary={t('imports.adds.summary', { accepted: summary.rows_accepted, duplicate: summary.rows_duplicate, quarantined: summary.rows_quarantined, skipped: summary.rows_skipped })}
      height={rows.length * 34}
      table={table}
      option={option}
    />
  )
}
