import { Button, Tabs } from 'antd'
import { Link, useParams } from 'react-router'
import { Problem } from '@/api/client'
import type { Person } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { firstId } from '@/ui/person-link'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { usePerson } from '../queries'
import { EraseButton } from './erase-button'
import { FactsTab } from './facts-tab'
import { IdentityTab } from './identity-tab'
import { OrdersTab } from './orders-tab'
import { Portrait } from './portrait'
import { TimelineTab } from './timeline-tab'

const tabs = ['orders', 'timeline', 'facts', 'identity'] as const

function nameOf(person: Person): string {
  const name = person.traits.find((trait) => trait.name === 'name')?.value
  return typeof name === 'string' && name !== '' ? name : firstId(person)
}

export default function PersonPage() {
  const { id = '' } = useParams()
  const { t } = useLanguage()
  const can = useCan()
  const url = useUrlState()
  const query = usePerson(id)
  const person = query.data

  if (query.error instanceof Problem && query.error.status === 404)
    return (
      <Page title={t('people.title')}>
        <EmptyState
          picture="people"
          title={t('person.unknown')}
          action={
            <Link to={`/people?q=${encodeURIComponent(id)}`}>
              <Button type="primary">{t('person.search')}</Button>
            </Link>
          }
        >
          {t('person.unknown.about', { id })}
        </EmptyState>
      </Page>
    )
  return (
    <Page
      title={person ? nameOf(person) : id}
      about={
        person && (
          <span className="row" style={{ gap: 6 }}>
            {person.distinct_ids.slice(0, 4).map((one) => (
              <span key={`${one.kind}:${one.id}`} className="small">
                <span className="muted">{one.kind}</span> <span className="mono">{one.id}</span>
              </span>
            ))}
            <span className="small muted">{t('person.number', { uid: String(person.uid) })}</span>
          </span>
        )
      }
      actions={person && can('admin') && <EraseButton person={person} />}
    >
      <Loaded query={query} rows={10}>
        {(data) => (
          <>
            <Portrait person={data} />
            <section className="panel inside">
              <Tabs
                activeKey={oneOf(url.get('tab'), tabs)}
                onChange={(tab) => url.set({ tab: tab === 'orders' ? null : tab })}
                destroyOnHidden
                items={[
                  { key: 'orders', label: t('person.tab.orders'), children: <OrdersTab id={id} /> },
                  { key: 'timeline', label: t('person.tab.timeline'), children: <TimelineTab id={id} /> },
                  { key: 'facts', label: t('person.tab.facts'), children: <FactsTab person={data} /> },
                  { key: 'identity', label: t('person.tab.identity'), children: <IdentityTab id={id} /> },
                ]}
              />
            </section>
          </>
        )}
      </Loaded>
    </Page>
  )
}
