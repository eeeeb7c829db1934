import { Alert, Input } from 'antd'
import type { Observed, ObservedEvent, ObservedProperty } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Pill } from '@/ui/pill'
import { useUrlState } from '@/url/use-url-state'

export function EventsTab({ observed }: { observed: Observed }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const wanted = url.get('q').toLowerCase()
  if (observed.events.length === 0)
    return (
      <EmptyState picture="table" title={t('plan.empty')}>
        {t('plan.empty.about')}
      </EmptyState>
    )
  const shown = observed.events.filter((one) => one.name.toLowerCase().includes(wanted))
  return (
    <div className="stack">
      {observed.unseen.length > 0 && <Alert type="info" showIcon title={t('plan.unseen', { names: observed.unseen.slice(0, 8).join(', '), n: observed.unseen.length })} />}
      <div className="row">
        <Input.Search aria-label={t('plan.search')} placeholder={t('plan.search')} defaultValue={url.get('q')} allowClear onSearch={(q) => url.set({ q })} style={{ maxWidth: 280 }} />
        <span className="small muted">{t('plan.window', { first: observed.first ?? '', last: observed.through ?? '' })}</span>
      </div>
      <DataTable<ObservedEvent>
        rowKey="name"
        size="small"
        dataSource={shown}
        scroll={{ x: 720 }}
        pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        expandable={{ expandedRowRender: (one) => <Properties event={one} />, rowExpandable: (one) => one.properties.length > 0 }}
        columns={[
          {
            title: t('plan.event'),
            render: (_, one) => (
              <>
                <strong>{one.name}</strong> {!one.planned && <Pill>{t('plan.unplanned')}</Pill>}
              </>
            ),
          },
          { title: t('plan.events'), align: 'right', sorter: (a, b) => a.events - b.events, render: (_, one) => format.count(one.events) },
          { title: t('plan.people'), align: 'right', sorter: (a, b) => a.people - b.people, render: (_, one) => format.count(one.people) },
          { title: t('plan.days'), render: (_, one) => <Spark days={one.days} label={t('plan.days.label', { name: one.name, most: Math.max(...one.days) })} /> },
          { title: t('plan.last'), render: (_, one) => <span title={format.instantFull(one.last_at)}>{format.dayOf(one.last_at)}</span> },
          { title: t('plan.properties'), align: 'right', render: (_, one) => one.properties.length },
        ]}
      />
    </div>
  )
}

function Spark({ days, label }: { days: number[]; label: string }) {
  const most = Math.max(1, ...days)
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${days.length * 4} 24`} width={days.length * 4} height={24}>
      <title>{label}</title>
      {days.map((count, day) => (
        <rect key={day} x={day * 4} width={3} y={24 - (count / most) * 22} height={(count / most) * 22} fill="var(--accent)" opacity={day >= days.length - 7 ? 1 : 0.45} />
      ))}
    </svg>
  )
}

function Properties({ event }: { event: ObservedEvent }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <DataTable<ObservedProperty>
      size="small"
      rowKey="name"
      dataSource={event.properties}
      pagination={{ pageSize: 30, hideOnSinglePage: true, showSizeChanger: false }}
      scroll={{ x: 520 }}
      columns={[
        {
          title: t('plan.property'),
          render: (_, one) => (
            <>
              <span className="mono">{one.name}</span> {!one.planned && <Pill>{t('plan.unplanned')}</Pill>}
            </>
          ),
        },
        { title: t('plan.types'), render: (_, one) => Object.entries(one.types).map(([kind, n]) => `${kind} ${format.count(n)}`).join(', ') },
        { title: t('plan.coverage'), align: 'right', render: (_, one) => <span>{format.percent(one.of > 0 ? one.events / one.of : 0, 1)} <span className="small muted">{`${format.count(one.events)} / ${format.count(one.of)}`}</span></span> },
      ]}
    />
  )
}
