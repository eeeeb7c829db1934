import { Button } from 'antd'
import { useMemo } from 'react'
import { Link } from 'react-router'
import type { Page as PeoplePage, PersonRow } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { Page } from '@/ui/page'
import { PersonLink } from '@/ui/person-link'
import { VirtualGrid, type GridColumn } from '@/ui/virtual-grid'
import { usePeople } from '../queries'
import { Filters } from './filters'
import { useFilters } from './use-filters'

const peopleOf = (page: PeoplePage<PersonRow>) => page.people
const totalOf = (page: PeoplePage<PersonRow>) => page.total

export default function PeopleListPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const filters = useFilters()
  const people = usePeople(filters.query)

  const columns = useMemo<GridColumn<PersonRow>[]>(
    () => [
      {
        key: 'person',
        title: t('people.col.person'),
        width: 'minmax(170px, 2fr)',
        render: (person) => {
          const name = person.traits.name
          return <PersonLink person={{ ...person, name: typeof name === 'string' ? name : null }} />
        },
      },
      {
        key: 'ids',
        title: t('people.col.ids'),
        width: 'minmax(140px, 1.6fr)',
        render: (person) => (
          <span className="muted small">
            {person.distinct_ids
              .slice(1, 4)
              .map((one) => one.id)
              .join(' · ') || `uid ${person.uid}`}
          </span>
        ),
      },
      { key: 'orders', title: t('people.orders'), width: 'minmax(80px, .8fr)', end: true, render: (person) => format.count(person.orders) },
      { key: 'spent', title: t('people.col.spent'), width: 'minmax(120px, 1fr)', end: true, render: (person) => format.money(person.revenue) },
      { key: 'last', title: t('people.last'), width: 'minmax(120px, 1fr)', end: true, render: (person) => <span title={format.instantFull(person.last_purchase)}>{format.dayOf(person.last_purchase)}</span> },
      { key: 'seen', title: t('people.col.seen'), width: 'minmax(120px, 1fr)', end: true, render: (person) => <span title={format.instantFull(person.last_seen)}>{format.dayOf(person.last_seen)}</span> },
    ],
    [t, format],
  )
  return (
    <Page title={t('people.title')} about={t('people.about')} asOf={t('zone', { zone: format.place.timezone })}>
      <Filters filters={filters} />
      <section className="panel" aria-label={t('people.title')} style={{ opacity: people.isPlaceholderData ? 0.6 : 1 }} aria-busy={people.isPlaceholderData}>
        <div className="bare">
          <VirtualGrid
            label={t('people.title')}
            columns={columns}
            query={people}
            rowsOf={peopleOf}
            totalOf={totalOf}
            rowKey={(person) => person.uid}
            minWidth={780}
            maxHeight={Math.max(420, innerHeight - 320)}
            empty={
              filters.active ? (
                <EmptyState picture="people" title={t('people.none')} action={<Button onClick={filters.clear}>{t('action.clear')}</Button>}>
                  {t('people.none.about')}
                </EmptyState>
              ) : (
                <EmptyState
                  picture="people"
                  title={t('people.empty')}
                  action={
                    can('operator') && (
                      <Link to="/data/imports/new">
                        <Button type="primary">{t('overview.import')}</Button>
                      </Link>
                    )
                  }
                >
                  {t('people.empty.about')}
                </EmptyState>
              )
            }
          />
        </div>
      </section>
    </Page>
  )
}
