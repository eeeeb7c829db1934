import { ArrowLeftOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import type { Layer, LayerPerson, Layering, Page as PeoplePage } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { ExportButton } from '@/ui/export-button'
import { Page, Panel } from '@/ui/page'
import { PersonLink } from '@/ui/person-link'
import { Facts, Stats } from '@/ui/stats'
import { VirtualGrid, type GridColumn } from '@/ui/virtual-grid'
import { useLayerPeople } from '../queries'
import { SaveSegment } from './save-segment'

/** One layer: its numbers, what to do next, and everyone in it. */
export function LayerView({ layering, layer }: { layering: Layering; layer: Layer }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const [saving, setSaving] = useState(false)
  const { currency } = layering
  const id = String(layering.id)
  const money = (value: number | null) => format.money(value, currency)
  const { average } = layer

  return (
    <Page
      title={`${pick(layering.name)} · ${pick(layer.name)}`}
      about={pick(layer.rule)}
      asOf={t('asof.day', { day: format.day(layering.as_of) })}
      actions={
        <>
          <Link to={`/people/layerings/${id}`}>
            <Button icon={<ArrowLeftOutlined />}>{t('layering.back')}</Button>
          </Link>
          {can('analyst') && (
            <>
              <ExportButton path={`/layerings/${id}/layers/${encodeURIComponent(layer.key)}/export`} name={`${layering.kind}-${layer.key}`} label={t('layering.export.layer')} />
              <Button type="primary" onClick={() => setSaving(true)}>
                {t('layering.save')}
              </Button>
            </>
          )}
        </>
      }
    >
      <Stats
        label={pick(layer.name)}
        items={[
          { key: 'people', label: t('layering.people'), value: format.count(layer.people), detail: `${format.percent(layer.people_share)} · ${format.ratio(layer.people, layering.people)}` },
          { key: 'revenue', label: t('layering.revenue'), value: money(layer.revenue), detail: `${t('layering.revenue_share')} ${format.percent(layer.revenue_share)}` },
          { key: 'orders', label: t('layering.orders'), value: format.count(layer.orders), detail: `${t('layering.refunds')} ${money(layer.refunds)}` },
          { key: 'order_value', label: t('layering.order_value'), value: money(average.order_value) },
        ]}
      />
      <div className="split">
        <Panel title={t('layering.suggestion')}>
          <p style={{ fontSize: 15, lineHeight: 1.75 }}>{pick(layer.suggestion)}</p>
        </Panel>
        <Panel title={t('layering.average')}>
          <Facts
            right
            items={[
              { key: 'recency', label: t('layering.recency'), value: format.decimal(average.recency_days, 0) },
              { key: 'frequency', label: t('layering.frequency'), value: format.decimal(average.frequency, 1) },
              { key: 'monetary', label: t('layering.monetary'), value: money(average.monetary) },
              { key: 'tenure', label: t('layering.tenure'), value: format.decimal(average.tenure_days, 0) },
              ...(average.usual_gap_days === null ? [] : [{ key: 'gap', label: t('layering.usual_gap'), value: format.decimal(average.usual_gap_days, 0) }]),
              ...(average.expected_value === null ? [] : [{ key: 'expected', label: t('layering.expected_value'), value: money(average.expected_value) }]),
            ]}
          />
        </Panel>
      </div>
      <LayerPeople layering={layering} layer={layer} />
      {saving && <SaveSegment layering={layering} layer={layer} close={() => setSaving(false)} />}
    </Page>
  )
}

const peopleOf = (page: PeoplePage<LayerPerson>) => page.people
const totalOf = (page: PeoplePage<LayerPerson>) => page.total

function LayerPeople({ layering, layer }: { layering: Layering; layer: Layer }) {
  const { t } = useLanguage()
  const format = useFormat()
  const people = useLayerPeople(String(layering.id), layer.key)
  const columns = useMemo<GridColumn<LayerPerson>[]>(
    () => [
      { key: 'person', title: t('layering.person'), width: 'minmax(160px, 2fr)', render: (person) => <PersonLink person={person} /> },
      { key: 'recency', title: t('layering.recency'), width: 'minmax(110px, 1fr)', end: true, render: (person) => format.count(person.recency_days) },
      { key: 'frequency', title: t('layering.frequency'), width: 'minmax(90px, 1fr)', end: true, render: (person) => format.count(person.frequency) },
      { key: 'monetary', title: t('layering.monetary'), width: 'minmax(120px, 1fr)', end: true, render: (person) => format.money(person.monetary, layering.currency) },
      { key: 'last', title: t('layering.last_purchase'), width: 'minmax(120px, 1fr)', end: true, render: (person) => <span title={format.instantFull(person.last_purchase)}>{format.dayOf(person.last_purchase)}</span> },
    ],
    [t, format, layering.currency],
  )
  return (
    <Panel
      title={t('layering.layer.people')}
      about={t('layering.layer.sorted', { day: format.day(layering.as_of) })}
      flush
      extra={
        <Link className="small" to={`/people?layer=${encodeURIComponent(`${layering.id}:${layer.key}`)}`}>
          {t('layering.filter')}
        </Link>
      }
    >
      <VirtualGrid label={t('layering.layer.people')} columns={columns} query={people} rowsOf={peopleOf} totalOf={totalOf} rowKey={(person) => person.uid} empty={<EmptyState picture="people" title={t('people.none')} />} />
    </Panel>
  )
}
