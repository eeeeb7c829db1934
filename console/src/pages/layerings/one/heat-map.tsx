import { Segmented } from 'antd'
import { useCallback, useMemo } from 'react'
import type { RfmCell } from '@/api/types'
import { Chart } from '@/chart/chart'
import { heatOption } from '@/chart/heat'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { five, measures, pairs, squareOf } from './square'

export function HeatMap({ cells, currency }: { cells: RfmCell[]; currency: string }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const pair = oneOf(url.get('axes'), pairs)
  const measure = oneOf(url.get('heat'), measures)
  const x = pair === 'fm' ? 'f' : 'r'
  const y = pair === 'rf' ? 'f' : 'm'
  const square = useMemo(() => squareOf(cells, x, y, measure), [cells, x, y, measure])
  const show = useCallback((value: number) => (measure === 'people' ? format.count(value) : format.money(value, currency)), [measure, format, currency])
  const short = useCallback((value: number) => (measure === 'people' ? format.compact(value) : format.moneyCompact(value, currency)), [measure, format, currency])

  const flat = square.flatMap((row, j) => row.map((value, i) => ({ xv: i + 1, yv: j + 1, value })))
  const fullest = flat.reduce((best, one) => (one.value > best.value ? one : best), { xv: 1, yv: 1, value: -1 })

  const option = useCallback(
    (c: Colors) =>
      heatOption(c, {
        rows: five.map(String),
        columns: five.map(String),
        rowName: t(`layering.score.${y}`),
        columnName: t(`layering.score.${x}`),
        values: square,
        label: short,
        tooltip: (row, column, value) => `${t(`layering.score.${x}`)} ${column + 1} · ${t(`layering.score.${y}`)} ${row + 1}<br/><b>${show(value)}</b>`,
      }),
    [square, x, y, t, short, show],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t(`layering.score.${x}`) },
        { title: t(`layering.score.${y}`) },
        { title: t('layering.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: `${t('layering.revenue')} (${currency})`, end: true, show: (value: unknown) => format.decimal(Number(value)) },
      ],
      rows: five.flatMap((yv) => five.map((xv) => [xv, yv, squareOf(cells, x, y, 'people')[yv - 1]?.[xv - 1] ?? 0, format.major(squareOf(cells, x, y, 'revenue')[yv - 1]?.[xv - 1] ?? 0, currency)])),
    }),
    [cells, x, y, format, t, currency],
  )
  return (
    <Chart
      id="heat"
      title={t('layering.heat')}
      about={t('layering.heat.about', { measure: t(`layering.measure.${measure}`) })}
      summary={t('layering.heat.summary', { x: t(`layering.score.${x}`), xv: fullest.xv, y: t(`layering.score.${y}`), yv: fullest.yv, value: show(fullest.value) })}
      height={340}
      table={table}
      option={option}
      extra={
        <>
          <Segmented size="small" aria-label={t('layering.heat.axes')} value={pair} options={pairs.map((one) => ({ value: one, label: one.toUpperCase().split('').join('×') }))} onChange={(value) => url.set({ axes: value === 'rf' ? null : value })} />
          <Segmented size="small" aria-label={t('layering.heat.measure')} value={measure} options={measures.map((one) => ({ value: one, label: t(`layering.measure.${one}`) }))} onChange={(value) => url.set({ heat: value === 'people' ? null : value })} />
        </>
      }
    />
  )
}
