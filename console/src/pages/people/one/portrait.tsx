import { Link } from 'react-router'
import type { Person } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'
import { ShareBar } from '@/ui/share-bar'
import { Facts, Stats } from '@/ui/stats'

export function Portrait({ person }: { person: Person }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const { portrait } = person
  return (
    <>
      <Panel title={t('person.portrait')}>
        <p style={{ fontSize: 15, lineHeight: 1.75 }}>{pick(portrait.summary)}</p>
      </Panel>
      <Stats
        label={t('person.portrait')}
        items={[
          { key: 'orders', label: t('person.orders'), value: format.count(portrait.orders), detail: t('person.orders.detail', { n: portrait.active_days }) },
          { key: 'revenue', label: t('person.revenue'), value: format.money(portrait.revenue), detail: portrait.refunds.amount > 0 ? t('person.refunds', { money: format.money(portrait.refunds) }) : undefined },
          { key: 'average', label: t('person.average'), value: format.money(portrait.average_order) },
          { key: 'last', label: t('person.last'), value: <span style={{ fontSize: 19 }}>{format.dayOf(portrait.last_purchase)}</span>, detail: portrait.first_purchase ? t('person.first', { day: format.dayOf(portrait.first_purchase) }) : undefined },
          { key: 'gap', label: t('person.gap'), value: portrait.usual_gap_days === null ? '—' : t('unit.days', { n: Math.round(portrait.usual_gap_days) }), detail: t('person.gap.detail') },
          {
            key: 'complete',
            label: t('person.completeness'),
            value: format.percent(portrait.completeness.share, 0),
            detail: t('person.completeness.detail', { ratio: format.ratio(portrait.completeness.known, portrait.completeness.of) }),
          },
        ]}
      />
      <div className="masonry">
        <LayersPanel person={person} />
        {person.clv && <ClvPanel clv={person.clv} />}
        {portrait.favourite_products.length > 0 && <ProductsPanel person={person} />}
        {portrait.channels.length > 0 && <ChannelsPanel person={person} />}
      </div>
    </>
  )
}

function LayersPanel({ person }: { person: Person }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  return (
    <Panel title={t('person.layers')}>
      {person.layers.length === 0 ? (
        <p className="muted">{t('person.layers.none')}</p>
      ) : (
        <ul className="lines">
          {person.layers.map((one) => (
            <li key={`${one.layering_id}${one.layer}`}>
              <div className="fill">
                <Link to={`/people/layerings/${one.layering_id}?layer=${encodeURIComponent(one.layer)}`}>{pick(one.layer_name)}</Link>
                <div className="small muted">{pick(one.name)}</div>
              </div>
              <div className="small muted" style={{ textAlign: 'end' }}>
                {one.since && <div>{t('person.layers.since', { day: format.day(one.since) })}</div>}
                <div>{t('asof.day', { day: format.day(one.as_of) })}</div>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function ClvPanel({ clv }: { clv: NonNullable<Person['clv']> }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <Panel title={t('person.clv')} about={t('person.clv.note')}>
      <Facts
        right
        items={[
          { key: 'alive', label: t('person.clv.alive'), value: format.percent(clv.p_alive, 0) },
          { key: 'orders', label: t('person.clv.orders'), value: format.fixed(clv.expected_90d, 2) },
          { key: 'value', label: t('person.clv.value'), value: format.money(clv.value_90d) },
        ]}
      />
    </Panel>
  )
}

function ProductsPanel({ person }: { person: Person }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <Panel title={t('person.products')}>
      <ul className="lines">
        {person.portrait.favourite_products.map((one) => (
          <li key={one.product}>
            <div className="fill">
              {one.name}
              {one.name !== one.product && <span className="small muted"> {one.product}</span>}
            </div>
            <span className="num muted small">{t('person.products.line', { quantity: one.quantity })}</span>
            <span className="num">{format.money(one.amount)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function ChannelsPanel({ person }: { person: Person }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { channels } = person.portrait
  const all = channels.reduce((sum, one) => sum + one.orders, 0)
  return (
    <Panel title={t('person.channels')}>
      <ul className="lines">
        {channels.map((one) => (
          <li key={one.channel}>
            <span className="fill">{one.channel}</span>
            <div style={{ width: 160 }}>
              <ShareBar share={one.orders / all} text={`${t('unit.orders', { n: one.orders })} · ${format.percent(one.orders / all, 0)}`} />
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
