import { Link } from 'react-router'
import type { Layering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useAppearance } from '@/theme/theme'
import { Panel } from '@/ui/page'
import { Dot, ShareBar } from '@/ui/share-bar'
import { layerColor } from '../layer-color'

/** The table of layers for a phone's width: one under the other, the same numbers and the same advice. */
export function LayerCards({ layering }: { layering: Layering }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const { colors } = useAppearance()
  return (
    <Panel title={t('layering.table')}>
      <ul className="lines">
        {layering.layers.map((layer) => (
          <li key={layer.key}>
            <div className="fill stack tight">
              <div>
                <Dot color={layerColor(colors, layer)} />
                <Link to={`?layer=${encodeURIComponent(layer.key)}`}>{pick(layer.name)}</Link>
              </div>
              <div className="small" style={{ display: 'grid', gridTemplateColumns: '1fr 1.3fr', gap: 14 }}>
                <ShareBar share={layer.people_share} text={`${t('unit.people', { n: layer.people })} · ${format.percent(layer.people_share)}`} color={layerColor(colors, layer)} />
                <ShareBar share={layer.revenue_share} text={`${format.moneyCompact(layer.revenue, layering.currency)} · ${format.percent(layer.revenue_share)}`} color={layerColor(colors, layer)} />
              </div>
              <p className="small muted">{pick(layer.suggestion)}</p>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
