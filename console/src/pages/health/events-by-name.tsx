import { useCallback, useMemo } from 'react'
import type { Health } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'

const MOST = 15

export function EventsByName({ events }: { events: Health['events'] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const shown = useMemo(() => [...events].sort((a, b) => b.rows - a.rows).slice(0, MOST), [events])
  const top = shown[0]

  const option = useCallback(
    (c: Colors) => ({
      grid: { left: 4, right: 84, top: 0, bottom: 0, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      xAxis: { type: 'value', min: 0, show: false },
      yAxis: { type: 'category', inverse: true, data: shown.map((one) => one.event), axisLine: { show: false }, axisLabel: { color: c.text, width: 150, overflow: 'truncate' } },
      series: [{ type: 'bar', barMaxWidth: 16, itemStyle: { color: c.series[0], borderRadius: [0, 3, 3, 0] }, data: shown.map((one) => one.rows), label: { show: true, position: 'right', color: c.text, formatter: (item: { value: number }) => format.count(item.value) } }],
    }),
    [shown, format],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('health.event') },
        { title: t('health.rows'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('health.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('health.last'), end: true, show: (value: unknown) => format.instant(String(value)) },
      ],
      rows: events.map((one) => [one.event, one.rows, one.people, one.last_ts]),
    }),
    [events, format, t],
  )
  if (!top)
    return (
      <Panel title={t('health.by_event')}>
        <EmptyState picture="table" title={t('health.empty')}>
          {t('health.empty.about')}
        </EmptyState>
      </Panel>
    )
  return <Chart id="events" title={t('health.by_event')} about={t('health.by_event.about', { zone: format.place.timezone })} summary={t('health.by_event.summary', { event: top.event, n: top.rows })} height={shown.length * 32} table={table} option={option} />
}
