import { Button, Collapse, Input, Timeline } from 'antd'
import { useEffect, useState } from 'react'
import type { TimelineEvent } from '@/api/types'
import { useDelayed } from '@/format/use-delayed'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Facts } from '@/ui/stats'
import { useUrlState } from '@/url/use-url-state'
import { useTimeline } from '../queries'

export function TimelineTab({ id }: { id: string }) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const [text, setText] = useState(url.get('event'))
  const typed = useDelayed(text)
  const { set } = url
  useEffect(() => set({ event: typed }), [typed, set])
  const timeline = useTimeline(id, url.get('event'))

  return (
    <div className="stack">
      <div className="row">
        <Input allowClear style={{ width: 240 }} value={text} placeholder={t('person.timeline.filter')} aria-label={t('person.timeline.filter')} onChange={(event) => setText(event.target.value)} />
        <span className="small muted">{t('zone', { zone: format.place.timezone })}</span>
      </div>
      <Loaded query={timeline} rows={8}>
        {(data) => {
          const events = data.pages.flatMap((page) => page.events)
          if (events.length === 0) return <EmptyState picture="table" title={t('person.timeline.none')} />
          return (
            <>
              <Timeline items={events.map((event, at) => ({ key: at, content: <Happened event={event} /> }))} />
              {timeline.hasNextPage && (
                <Button loading={timeline.isFetchingNextPage} onClick={() => void timeline.fetchNextPage()}>
                  {t('action.more')}
                </Button>
              )}
            </>
          )
        }}
      </Loaded>
    </div>
  )
}

function Happened({ event }: { event: TimelineEvent }) {
  const { t } = useLanguage()
  const format = useFormat()
  const properties = Object.entries(event.properties)
  return (
    <div>
      <div className="row">
        <strong>{event.event}</strong>
        <span className="num muted small" title={format.instantFull(event.ts)}>
          {format.instant(event.ts)}
        </span>
        {event.source && <span className="small muted">{event.source}</span>}
      </div>
      {properties.length > 0 && (
        <Collapse
          ghost
          size="small"
          items={[
            {
              key: 'properties',
              label: <span className="small muted">{t('person.timeline.props', { n: properties.length })}</span>,
              children: <Facts items={properties.map(([name, value]) => ({ key: name, label: <span className="mono">{name}</span>, value: <span className="mono">{typeof value === 'string' ? value : JSON.stringify(value)}</span> }))} />,
            },
          ]}
        />
      )}
    </div>
  )
}
