import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Input, Space } from 'antd'
import { useDeferredValue, useState } from 'react'
import { http } from '@/api/client'
import type { Connector, MappedEvents } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'

type Read = { value: unknown } | { wrong: true } | null

function read(text: string): Read {
  if (text.trim() === '') return null
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { wrong: true }
  }
}

/** Rules as JSON, a sample payload, and at once the events the server makes of it. */
export function RulesDrawer({ connector, close, saved }: { connector: Connector; close: () => void; saved: () => Promise<unknown> }) {
  const { t } = useLanguage()
  const act = useAct()
  const [text, setText] = useState(JSON.stringify(connector.rules, null, 2))
  const [sample, setSample] = useState('')
  const [topic, setTopic] = useState(connector.kind === 'shopify' ? 'orders/paid' : connector.kind === 'youzan' ? 'trade_TradePaid' : '')
  const late = useDeferredValue({ text, sample, topic })
  const rules = read(late.text)
  const payload = read(late.sample)
  const ready = rules !== null && 'value' in rules && payload !== null && 'value' in payload
  const preview = useQuery({
    queryKey: ['connectors', 'preview', late],
    queryFn: ({ signal }) => http.post<MappedEvents>('/connectors/preview', { rules: ready ? rules.value : [], payload: ready ? payload.value : null, topic: late.topic }, undefined, signal),
    enabled: ready,
    retry: false,
    gcTime: 0,
  })
  const now = read(text)
  async function save() {
    if (now === null || !('value' in now)) return
    const well = await act(() => http.patch(`/connectors/${encodeURIComponent(connector.source)}`, { rules: now.value }), t('connectors.saved'))
    if (!well) return
    await saved()
    close()
  }
  return (
    <Drawer
      open
      size="large"
      onClose={close}
      title={t('connectors.rules.of', { name: connector.source })}
      extra={
        <Space>
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button type="primary" disabled={now === null || 'wrong' in now} onClick={() => void save()}>
            {t('action.save')}
          </Button>
        </Space>
      }
    >
      <div className="stack">
        <p className="muted" style={{ margin: 0 }}>{t('connectors.rules.about')}</p>
        <label htmlFor="rules">{t('connectors.rules.json')}</label>
        <Input.TextArea id="rules" className="mono" value={text} onChange={(event) => setText(event.target.value)} autoSize={{ minRows: 10, maxRows: 24 }} spellCheck={false} status={now !== null && 'wrong' in now ? 'error' : ''} />
        {now !== null && 'wrong' in now && <span role="alert">{`${t('connectors.rules.json')} ${t('connectors.json.bad')}`}</span>}
        <label htmlFor="topic">{t('connectors.topic')}</label>
        <Input id="topic" value={topic} onChange={(event) => setTopic(event.target.value)} style={{ maxWidth: 280 }} />
        <label htmlFor="payload">{t('connectors.payload')}</label>
        <Input.TextArea id="payload" className="mono" value={sample} onChange={(event) => setSample(event.target.value)} autoSize={{ minRows: 6, maxRows: 16 }} spellCheck={false} />
        {payload !== null && 'wrong' in payload && <span role="alert">{`${t('connectors.payload')} ${t('connectors.json.bad')}`}</span>}
        <section aria-label={t('connectors.preview')} aria-live="polite">
          <h3>{t('connectors.preview')}</h3>
          {preview.error ? (
            <ProblemView error={preview.error} />
          ) : preview.data ? (
            <>
              {preview.data.events.length === 0 && <p>{t('connectors.preview.none')}</p>}
              {preview.data.events.map((event, position) => (
                <pre key={position} className="mono small" style={{ whiteSpace: 'pre-wrap' }}>
                  {JSON.stringify(event, null, 2)}
                </pre>
              ))}
              <ul className="small muted">
                {preview.data.skipped.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </>
          ) : (
            <p className="muted">{t('connectors.preview.wait')}</p>
          )}
        </section>
      </div>
    </Drawer>
  )
}
