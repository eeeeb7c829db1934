import { App, Button, Select, Switch } from 'antd'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { SeenRequest, Source } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { useCan } from '@/shell/session'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill, type Tone } from '@/ui/pill'
import { useUrlState } from '@/url/use-url-state'

const MOST = 300
const notes: Record<string, MessageKey> = { unknown_key: 'debugger.note.unknown_key', origin: 'debugger.note.origin', rate: 'debugger.note.rate', minors: 'debugger.note.minors', do_not_track: 'debugger.note.do_not_track', not_understood: 'debugger.note.not_understood' }

/** Requests of SDKs as they arrive: what was understood of them, and what was not and why. */
export default function DebuggerPage() {
  const { t } = useLanguage()
  const can = useCan()
  const url = useUrlState()
  const { message } = App.useApp()
  const source = url.get('source')
  const [fresh, setFresh] = useState<SeenRequest[]>([])
  const [paused, setPaused] = useState(false)
  const [live, setLive] = useState(false)
  const first = useQuery({ queryKey: ['debugger', source], queryFn: ({ signal }) => http.get<{ requests: SeenRequest[]; newest: number }>('/debugger', { source }, signal), staleTime: Infinity, gcTime: 0 })
  const sources = useQuery({ queryKey: ['sources'], queryFn: ({ signal }) => http.get<{ sources: Source[] }>('/sources', undefined, signal), enabled: can('admin') })
  const after = first.data?.newest

  useEffect(() => {
    setFresh([])
    if (after === undefined || paused) return
    const stream = new EventSource(`/api/v1/debugger/stream?after=${after}&source=${encodeURIComponent(source)}`)
    stream.onopen = () => setLive(true)
    stream.onerror = () => setLive(false)
    stream.addEventListener('request', (event: MessageEvent<string>) => {
      const seen = JSON.parse(event.data) as SeenRequest
      setFresh((current) => (current.some((one) => one.number === seen.number) ? current : [seen, ...current].slice(0, MOST)))
    })
    return () => {
      setLive(false)
      stream.close()
    }
  }, [after, source, paused])

  const names = [...new Set([...(sources.data?.sources ?? []).map((one) => one.name), ...(source ? [source] : [])])]
  return (
    <Page
      title={t('debugger.title')}
      about={t('debugger.about')}
      asOf={<Pill tone={live ? 'good' : 'plain'}>{live ? t('debugger.live') : paused ? t('debugger.paused') : t('debugger.connecting')}</Pill>}
      actions={
        <span className="row">
          {names.length > 0 && <Select aria-label={t('debugger.source')} value={source} onChange={(value) => url.set({ source: value })} style={{ minWidth: 160 }} options={[{ value: '', label: t('debugger.all') }, ...names.map((value) => ({ value, label: value }))]} />}
          <label className="row" style={{ gap: 6 }}>
            <Switch checked={paused} onChange={setPaused} aria-label={t('debugger.pause')} /> {t('debugger.pause')}
          </label>
        </span>
      }
    >
      <Loaded query={first} rows={8}>
        {(data) => {
          const requests = [...fresh, ...[...data.requests].reverse()].slice(0, MOST)
          if (requests.length === 0)
            return (
              <Panel label={t('debugger.title')}>
                <EmptyState picture="curve" title={t('debugger.empty')} action={can('admin') ? <Link to="/data/sources"><Button type="primary">{t('debugger.empty.go')}</Button></Link> : undefined}>
                  {t('debugger.empty.about')}
                </EmptyState>
              </Panel>
            )
          return (
            <Panel label={t('debugger.title')} flush>
              <ol className="requests" aria-live="off">
                {requests.map((request) => (
                  <Request key={request.number} request={request} copied={() => void message.success(t('debugger.copied'))} />
                ))}
              </ol>
            </Panel>
          )
        }}
      </Loaded>
    </Page>
  )
}

function toneOf(request: SeenRequest): Tone {
  if (request.status >= 400) return 'bad'
  if (request.quarantined > 0) return 'bad'
  return request.differences.length > 0 || request.dropped > 0 ? 'warn' : 'good'
}

function Request({ request, copied }: { request: SeenRequest; copied: () => void }) {
  const { t } = useLanguage()
  const format = useFormat()
  const names = [...new Set(request.messages.map((one) => one.name || one.type))]
  const note = notes[request.note]
  return (
    <li>
      <details>
        <summary>
          <Pill tone={toneOf(request)}>{request.status}</Pill> <span className="mono small">{request.path}</span> <strong>{names.slice(0, 3).join(', ')}</strong>
          {names.length > 3 && ' …'} {note && <span>{t(note)}</span>}
          <span className="small muted" title={format.instantFull(request.at)}>
            {' '}
            {request.source ?? t('debugger.nobody')} · {t('debugger.counts', { accepted: request.accepted, duplicate: request.duplicate, quarantined: request.quarantined, dropped: request.dropped })} · {format.instantFull(request.at)}
          </span>
        </summary>
        {request.refused.map((one, position) => (
          <div key={position} className="refusal">
            <Pill tone="bad">{t('debugger.refused')}</Pill> <strong>{one.field}</strong> {one.reason}
            <pre className="mono small">{one.raw}</pre>
          </div>
        ))}
        {request.differences.map((one, position) => (
          <div key={position}>
            <Pill tone="warn">{t('debugger.differs')}</Pill> {one}
          </div>
        ))}
        {request.messages.map((one) => (
          <div key={`${one.event_id}-${one.type}`}>
            <Pill tone="info">{one.type}</Pill> <strong>{one.name}</strong>{' '}
            {one.ids.map(([kind, id]) => (
              <Link key={`${kind}:${id}`} to={`/people/${encodeURIComponent(id)}`} className="mono small">
                {kind}:{id}{' '}
              </Link>
            ))}
            <span className="small muted">{format.instantFull(one.at)}</span>
            <pre className="mono small">{JSON.stringify({ properties: one.properties, ...(Object.keys(one.traits).length > 0 ? { traits: one.traits } : {}), context: one.context, event_id: one.event_id }, null, 2)}</pre>
          </div>
        ))}
        {request.more > 0 && <p className="small muted">{t('debugger.more', { n: request.more })}</p>}
        <Button size="small" onClick={() => void navigator.clipboard.writeText(JSON.stringify(request, null, 2)).then(copied)}>
          {t('debugger.copy')}
        </Button>
      </details>
    </li>
  )
}
