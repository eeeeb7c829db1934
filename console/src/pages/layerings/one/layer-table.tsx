import type { Layer, Layering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useAppearance } from '@/theme/theme'
import { DataTable } from '@/ui/data-table'
import { Panel } from '@/ui/page'
import { Dot, ShareBar } from '@/ui/share-bar'
import { Link } from 'react-router'
import { layerColor } from '../layer-color'

export function LayerTable({ layering }: { layering: Layering }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const { colors } = useAppearance()
  const { currency } = layering
  const average = (layer: Layer) =>
    [
      layer.average.recency_days === null ? '' : t('layering.average.recency', { n: format.decimal(layer.average.recency_days, 0) }),
      t('layering.average.frequency', { n: format.decimal(layer.average.frequency, 1) }),
      t('layering.average.monetary', { money: format.money(layer.average.monetary, currency) }),
      layer.average.order_value === null ? '' : t('layering.average.order_value', { money: format.money(layer.average.order_value, currency) }),
    ].filter(Boolean)

  return (
    <Panel title={t('layering.table')} flush>
      <DataTable<Layer>
        rowKey="key"
        dataSource={layering.layers}
        pagination={false}
        scroll={{ x: 1080 }}
        columns={[
          {
            title: t('layering.layer'),
            width: 190,
            fixed: 'left',
            render: (_, layer) => (
              <>
                <Dot color={layerColor(colors, layer)} />
                <Link to={`?layer=${encodeURIComponent(layer.key)}`}>{pick(layer.name)}</Link>
              </>
            ),
          },
          { title: t('layering.people'), width: 128, sorter: (a, b) => a.people - b.people, render: (_, layer) => <ShareBar share={layer.people_share} text={`${format.count(layer.people)} · ${format.percent(layer.people_share)}`} color={layerColor(colors, layer)} /> },
          { title: t('layering.orders'), align: 'right', width: 90, sorter: (a, b) => a.orders - b.orders, render: (_, layer) => format.count(layer.orders) },
          { title: t('layering.revenue'), width: 190, sorter: (a, b) => a.revenue - b.revenue, render: (_, layer) => <ShareBar share={layer.revenue_share} text={`${format.money(layer.revenue, currency)} · ${format.percent(layer.revenue_share)}`} color={layerColor(colors, layer)} /> },
          {
            title: t('layering.average'),
            width: 210,
            render: (_, layer) => <span className="small muted">{average(layer).join(' · ')}</span>,
          },
          { title: t('layering.suggestion'), render: (_, layer) => <span style={{ fontSize: 13.5, lineHeight: 1.6 }}>{pick(layer.suggestion)}</span> },
        ]}
      />
    </Panel>
  )
}
