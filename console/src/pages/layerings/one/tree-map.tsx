import { Segmented } from 'antd'
import { useCallback, useMemo } from 'react'
import type { Layering } from '@/api/types'
import { Chart } from '@/chart/chart'
import { readableOn } from '@/chart/heat'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { Colors } from '@/theme/colors'
import { layerColor } from '../layer-color'
import { oneOf, useUrlState } from '@/url/use-url-state'

const measures = ['people', 'revenue'] as const

export function TreeMap({ layering, height }: { layering: Layering; height: number }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const measure = oneOf(url.get('area'), measures)
  const { layers, currency } = layering
  const show = useCallback((value: number) => (measure === 'people' ? t('unit.people', { n: value }) : format.money(value, currency)), [measure, format, currency, t])
  const largest = layers.reduce<(typeof layers)[number] | undefined>((best, one) => (best === undefined || one[measure] > best[measure] ? one : best), undefined)

  const option = useCallback(
    (c: Colors) => ({
      tooltip: {
        formatter: (item: { dataIndex: number; name: string; value: number; data?: { share?: number } }) => `${item.name}<br/><b>${show(item.value)}</b> · ${format.percent(item.data?.share ?? 0)}`,
      },
      series: [
        {
          type: 'treemap',
          left: 0,
          right: 0,
          top: 0,
          bottom: 0,
          roam: false,
          nodeClick: false,
          breadcrumb: { show: false },
          itemStyle: { gapWidth: 3, borderColor: c.surface, borderWidth: 0 },
          label: { fontSize: 13, lineHeight: 19, overflow: 'truncate' },
          data: layers
            .filter((layer) => layer[measure] > 0)
            .map((layer) => {
              const color = layerColor(c, layer)
              const share = measure === 'people' ? layer.people_share : layer.revenue_share
              return {
                name: pick(layer.name),
                key: layer.key,
                value: layer[measure],
                share,
                itemStyle: { color, borderRadius: 6 },
                label: { color: readableOn(color), formatter: share < 0.03 ? pick(layer.name) : `${pick(layer.name)}\n${format.percent(share)}` },
              }
            }),
        },
      ],
    }),
    [layers, measure, show, format, pick],
  )
  const table = useMemo(
    () => ({
      columns: [
        { title: t('layering.layer') },
        { title: t('layering.people'), end: true, show: (value: unknown) => format.count(Number(value)) },
        { title: t('layering.people_share'), end: true, show: (value: unknown) => format.percent(Number(value)) },
        { title: `${t('layering.revenue')} (${currency})`, end: true, show: (value: unknown) => format.decimal(Number(value)) },
        { title: t('layering.revenue_share'), end: true, show: (value: unknown) => format.percent(Number(value)) },
      ],
      rows: layers.map((layer) => [pick(layer.name), layer.people, layer.people_share, format.major(layer.revenue, currency), layer.revenue_share]),
    }),
    [layers, currency, format, pick, t],
  )
  return (
    <Chart
      id="tree"
      title={t('layering.tree')}
      about={t('layering.tree.about', { measure: t(`layering.measure.${measure}`) })}
      summary={largest ? `${pick(largest.name)} ${show(largest[measure])}` : ''}
      height={height}
      table={table}
      option={option}
      extra={<Segmented size="small" aria-label={t('layering.heat.measure')} value={measure} options={measures.map((one) => ({ value: one, label: t(`layering.measure.${one}`) }))} onChange={(value) => url.set({ area: value === 'people' ? null : value })} />}
      onClick={(event) => {
        const { key } = event.data as { key?: string }
        if (key) url.set({ layer: key }, { push: true })
      }}
    />
  )
}
