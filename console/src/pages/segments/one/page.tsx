import { DeleteOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useMemo } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import type { LayerPerson, Page as PeoplePage } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { ExportButton } from '@/ui/export-button'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { PersonLink } from '@/ui/person-link'
import { VirtualGrid, type GridColumn } from '@/ui/virtual-grid'
import { OriginLink } from '../origin'
import { useSegment, useSegmentPeople } from '../queries'
import { useConfirmDelete } from '../use-confirm-delete'

const peopleOf = (page: PeoplePage<LayerPerson>) => page.people
const totalOf = (page: PeoplePage<LayerPerson>) => page.total

export default function SegmentPage() {
  const { key = '' } = useParams()
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const navigate = useNavigate()
  const query = useSegment(key)
  const segment = query.data
  const remove = useConfirmDelete(() => void navigate('/people/segments'))
  return (
    <Page
      title={segment?.name ?? key}
      about={
        segment && (
          <>
            {t('segment.about', { n: segment.people, by: segment.by, when: format.ago(segment.created_at) })}
            {(segment.origin ?? segment.asked) && (
              <>
                {' · '}
                <OriginLink origin={segment.origin} asked={segment.asked} />
              </>
            )}
          </>
        )
      }
      actions={
        segment &&
        can('analyst') && (
          <>
            <ExportButton path={`/segments/${encodeURIComponent(key)}/export`} name={key} />
            <Button icon={<DeleteOutlined />} aria-label={t('segments.delete')} onClick={() => remove(segment)} />
          </>
        )
      }
    >
      <Loaded query={query}>{() => <People segmentKey={key} />}</Loaded>
    </Page>
  )
}

function People({ segmentKey }: { segmentKey: string }) {
  const { t } = useLanguage()
  const format = useFormat()
  const people = useSegmentPeople(segmentKey)
  const columns = useMemo<GridColumn<LayerPerson>[]>(
    () => [
      { key: 'person', title: t('layering.person'), width: 'minmax(160px, 2fr)', render: (person) => <PersonLink person={person} /> },
      { key: 'recency', title: t('layering.recency'), width: 'minmax(110px, 1fr)', end: true, render: (person) => format.count(person.recency_days) },
      { key: 'frequency', title: t('layering.frequency'), width: 'minmax(90px, 1fr)', end: true, render: (person) => format.count(person.frequency) },
      { key: 'monetary', title: t('layering.monetary'), width: 'minmax(120px, 1fr)', end: true, render: (person) => format.money(person.monetary) },
      { key: 'last', title: t('layering.last_purchase'), width: 'minmax(120px, 1fr)', end: true, render: (person) => <span title={format.instantFull(person.last_purchase)}>{format.dayOf(person.last_purchase)}</span> },
    ],
    [t, format],
  )
  return (
    <Panel
      title={t('segment.people')}
      flush
      extra={
        <Link className="small" to={`/people?segment=${encodeURIComponent(segmentKey)}`}>
          {t('layering.filter')}
        </Link>
      }
    >
      <VirtualGrid label={t('segment.people')} columns={columns} query={people} rowsOf={peopleOf} totalOf={totalOf} rowKey={(person) => person.uid} empty={<EmptyState picture="people" title={t('people.none')} />} />
    </Panel>
  )
}
