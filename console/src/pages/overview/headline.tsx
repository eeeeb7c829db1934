import { Link } from 'react-router'
import type { Overview } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Stats } from '@/ui/stats'

export function Headline({ overview }: { overview: Overview }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { repeat, freshness } = overview
  return (
    <Stats
      label={t('overview.stats')}
      items={[
        { key: 'people', label: t('overview.people'), value: <Link to="/people" style={{ color: 'inherit' }}>{format.count(overview.people)}</Link>, detail: t('overview.people.detail', { buyers: overview.buyers }) },
        {
          key: 'revenue',
          label: t('overview.revenue'),
          value: format.money(overview.revenue),
          detail: t('overview.revenue.detail', { orders: overview.orders, refunds: format.money(overview.refunds) }),
        },
        {
          key: 'repeat',
          label: t('overview.repeat'),
          value: repeat.buyers > 0 ? format.percent(repeat.repeaters / repeat.buyers) : '—',
          detail: t('overview.repeat.detail', { ratio: format.ratio(repeat.repeaters, repeat.buyers) }),
        },
        { key: 'average', label: t('overview.average'), value: format.money(overview.average_order), detail: t('overview.average.detail', { orders: overview.orders }) },
        {
          key: 'fresh',
          label: t('overview.fresh'),
          value: format.ago(freshness.last_event),
          detail: (
            <>
              {t('overview.fresh.detail', { when: format.ago(freshness.last_import) })}
              {freshness.quarantined > 0 && (
                <>
                  {' · '}
                  <Link to="/data/quarantine">{t('overview.fresh.quarantined', { n: freshness.quarantined })}</Link>
                </>
              )}
            </>
          ),
        },
      ]}
    />
  )
}
