import { useQuery } from '@tanstack/react-query'
import { Button, Skeleton } from 'antd'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { Overview } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { AttentionPanel } from './attention'
import { ChangesPanel } from './changes'
import { Headline } from './headline'
import { LayerMix } from './layer-mix'
import { MonthsChart } from './months-chart'
import { NewWorkspace } from './new-workspace'

export default function OverviewPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const overview = useQuery({ queryKey: ['overview'], queryFn: ({ signal }) => http.get<Overview>('/overview', undefined, signal), refetchInterval: 60_000 })
  const data = overview.data
  const empty = data?.people === 0 && data.orders === 0

  if (empty) return <NewWorkspace />
  return (
    <Page
      title={t('overview.title')}
      about={data && t('overview.about', { first: format.dayOf(data.first_ts), last: format.dayOf(data.last_ts), people: data.people, orders: data.orders })}
      asOf={
        data && (
          <>
            {t('overview.asof', { last: format.instant(data.freshness.last_event), ago: format.ago(data.freshness.last_event), zone: t('zone', { zone: format.place.timezone }) })}
            {data.freshness.tail_events > 0 && ` · ${t('overview.tail', { n: data.freshness.tail_events })}`}
          </>
        )
      }
      actions={
        can('operator') && (
          <Link to="/data/imports/new">
            <Button type="primary">{t('overview.import')}</Button>
          </Link>
        )
      }
    >
      <Loaded query={overview} skeleton={<Waiting />}>
        {(answer) => (
          <>
            <Headline overview={answer} />
            <div className="split">
              <MonthsChart months={answer.months} lastTs={answer.last_ts} />
              <AttentionPanel attention={answer.attention} />
            </div>
            <div className="halves">
              <LayerMix mix={answer.layer_mix} />
              <ChangesPanel changes={answer.changes} />
            </div>
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Waiting() {
  return (
    <div className="stack">
      <div className="panel inside">
        <Skeleton active title={false} paragraph={{ rows: 2 }} />
      </div>
      <div className="split">
        <div className="panel inside">
          <Skeleton active title={false} paragraph={{ rows: 8, width: '100%' }} />
        </div>
        <div className="panel inside">
          <Skeleton active title={false} paragraph={{ rows: 8 }} />
        </div>
      </div>
    </div>
  )
}
