import { useCallback, useMemo } from 'react'
import type { Layering, Quality } from '@/api/types'
import { Chart } from '@/chart/chart'
import { intervalSeries } from '@/chart/interval'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { fonts } from '@/theme/fonts'
import { useNarrow } from '@/ui/use-narrow'
import { layerColor } from '../layer-color'

type Lift = NonNullable<Quality['lift']>

/** Out of time: what people of each layer really brought in after the layers were made, with intervals. */
export function LiftChart({ layering, lift }: { layering: Layering; lift: Lift }) {
  const { t, pick, language } = useLanguage()
  const format = useFormat()
  const { currency } = layering
  const narrow = useNarrow()
  const rows = useMemo(() => {
    const known = new Map(layering.layers.map((layer) => [layer.key, layer]))
    return lift.layers.map((one) => ({ ...one, layer: known.get(one.key), label: pick(known.get(one.key)?.name) || one.key }))
  }, [layering, lift, pick])
  const average = useMemo(() => {
    const people = rows.reduce((sum, row) => sum + row.people, 0)
    return people === 0 ? 0 : rows.reduce((sum, row) => sum + row.people * row.mean, 0) / people
  }, [rows])
  const best = rows.reduce<(typeof rows)[number] | undefined>((top, row) => (top === undefined || row.mean > top.mean ? row : top), undefined)

  const option = useCallback(
    (c: Colors) => ({
      grid: { left: 4, right: narrow ? 66 : 110, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'shadow' },
        formatter: (items: { dataIndex: number }[]) => {
          const row = rows[items[0]?.dataIndex ?? -1]
          if (!row) return ''
          const interval = row.low === null || row.high === null ? '' : `<br/>${t('interval', { low: format.money(row.low, currency), high: format.money(row.high, currency) })}`
          return `${row.label} · ${t('unit.people', { n: row.people })}<br/><b>${format.money(row.mean, currency)}</b>${interval}`
        },
      },
      xAxis: { type: 'value', min: 0, axisLabel: { formatter: (value: number) => format.moneyCompact(value, currency), hideOverlap: true }, splitNumber: narrow ? 2 : 4 },
      yAxis: { type: 'category', inverse: true, data: rows.map((row) => row.label), axisLabel: { color: c.text, width: narrow ? 84 : 120, overflow: 'truncate' } },
      series: [
        {
          type: 'scatter',
          symbolSize: 11,
          z: 4,
          data: rows.map((row) => ({ value: row.mean, itemStyle: { color: layerColor(c, row.layer) } })),
          markLine: { symbol: 'none', silent: true, lineStyle: { color: c.secondary, type: 'dashed' }, label: { show: false }, data: [{ xAxis: average }] },
        },
        intervalSeries(
          rows.map((row) => ({ low: row.low, high: row.high, color: layerColor(c, row.layer) })),
          rows.map((row) => (narrow ? format.moneyCompact(row.mean, currency) : format.money(row.mean, currency))),
          { color: c.text, font: fonts[language] },
        ),
      ],
    }),
    [rows, average, format, currency, t, narrow, language],
  )
  const table = useMemo(() => {
    const money = (value: unknown) => (value === null ? '—' : format.decimal(Number(value)))
    const major = (value: number | null) => (value === null ? null : format.major(value, currency))
    return {
      columns: [
        { title: t('layering.layer') },
        { title: t('layering.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: `${t('quality.lift.mean')} (${currency})`, end: true, show: money },
        { title: t('quality.low'), end: true, show: money },
        { title: t('quality.high'), end: true, show: money },
      ],
      rows: rows.map((row) => [row.label, row.people, major(row.mean), major(row.low), major(row.high)]),
    }
  }, [rows, format, currency, t])

  return (
    <Chart
      id="lift"
      title={t('quality.lift')}
      about={t('quality.lift.about', { start: format.day(lift.calibration_end), until: format.day(lift.until), average: format.money(average, currency) })}
      summary={best ? t('quality.lift.summary', { name: best.label, mean: format.money(best.mean, currency) }) : ''}
      height={rows.length * 38 + 60}
      table={table}
      option={option}
    />
  )
}
