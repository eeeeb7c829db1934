import { Segmented } from 'antd'
import { useCallback, useMemo } from 'react'
import type { MonthRow } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { monthIsPartial } from './partial'

const metrics = ['revenue', 'orders', 'buyers', 'new_buyers'] as const

export function MonthsChart({ months, lastTs }: { months: MonthRow[]; lastTs: string | null }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const metric = oneOf(url.get('metric'), metrics)
  const show = useCallback((value: number) => (metric === 'revenue' ? format.money(value) : format.count(value)), [metric, format])
  const short = useCallback((value: number) => (metric === 'revenue' ? format.moneyCompact(value) : format.compact(value)), [metric, format])

  const last = months.at(-1)
  const partial = last ? monthIsPartial(last.month, lastTs) : false
  const best = months.reduce<MonthRow | undefined>((top, month) => (top === undefined || month[metric] > top[metric] ? month : top), undefined)

  const option = useCallback(
    (c: Colors) => ({
      grid: { left: 4, right: 8, top: 26, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'shadow' },
        formatter: (items: { dataIndex: number }[]) => {
          const month = months[items[0]?.dataIndex ?? -1]
          if (!month) return ''
          const line = (label: string, value: string) => `<div style="display:flex;gap:24px;justify-content:space-between"><span>${label}</span><b>${value}</b></div>`
          return `<div style="margin-bottom:4px">${format.month(month.month)}</div>${line(t('overview.metric.revenue'), format.money(month.revenue))}${line(t('overview.metric.refunds'), format.money(month.refunds))}${line(t('overview.metric.orders'), format.count(month.orders))}${line(t('overview.metric.buyers'), format.count(month.buyers))}${line(t('overview.metric.new_buyers'), format.count(month.new_buyers))}`
        },
      },
      xAxis: { type: 'category', data: months.map((month) => format.month(month.month)), axisLabel: { hideOverlap: true } },
      yAxis: { type: 'value', min: 0, splitNumber: 4, axisLabel: { formatter: (value: number) => short(value) } },
      series: [
        {
          type: 'bar',
          barMaxWidth: 34,
          data: months.map((month, index) => ({
            value: month[metric],
            // With alpha, not opacity: that would fade the label as well.
            itemStyle: { color: partial && index === months.length - 1 ? `${c.series[0] ?? c.accent}73` : c.series[0], borderRadius: [3, 3, 0, 0] },
            label: { show: month === best || index === months.length - 1, position: 'top', color: c.text, fontSize: 12, formatter: () => short(month[metric]) },
          })),
        },
      ],
    }),
    [months, metric, format, short, t, best, partial],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('overview.month') },
        { title: `${t('overview.metric.revenue')} (${format.place.currency})`, end: true, show: (value: unknown) => format.money(Math.round(Number(value) * 10 ** format.place.currencyDigits)) },
        { title: `${t('overview.metric.refunds')} (${format.place.currency})`, end: true, show: (value: unknown) => format.money(Math.round(Number(value) * 10 ** format.place.currencyDigits)) },
        ...(['orders', 'buyers', 'new_buyers'] as const).map((name) => ({ title: t(`overview.metric.${name}`), end: true, show: (value: unknown) => format.count(Number(value)) })),
      ],
      rows: months.map((month) => [month.month, format.major(month.revenue), format.major(month.refunds), month.orders, month.buyers, month.new_buyers]),
    }),
    [months, format, t],
  )

  if (!last)
    return (
      <Panel title={t('overview.months')}>
        <EmptyState picture="curve" title={t('person.orders.none')} />
      </Panel>
    )
  return (
    <Chart
      id="months"
      title={t('overview.months')}
      about={partial ? t('overview.months.partial', { month: format.month(last.month) }) : undefined}
      summary={
        best && months[0]
          ? t('overview.months.summary', { first: format.month(months[0].month), last: format.month(last.month), n: months.length, best: format.month(best.month), value: show(best[metric]) })
          : ''
      }
      height={300}
      table={table}
      option={option}
      extra={
        <Segmented
          size="small"
          aria-label={t('overview.metric')}
          value={metric}
          options={metrics.map((name) => ({ value: name, label: t(`overview.metric.${name}`) }))}
          onChange={(value) => url.set({ metric: value === 'revenue' ? null : value })}
        />
      }
    />
  )
}
