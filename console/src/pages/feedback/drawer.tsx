import { Button, Drawer, Input } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { FeedbackDetail } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan, useUser } from '@/shell/session'
import { Loaded } from '@/ui/loaded'
import { personAddress } from '@/ui/person-link'
import { Facts } from '@/ui/stats'
import { useAct } from '@/ui/use-act'
import { useFeedbackDetail, useRefreshFeedback } from './queries'
import { FeedbackStatus } from './status'

export function FeedbackDrawer({ number, close }: { number: string; close: () => void }) {
  const { t } = useLanguage()
  const query = useFeedbackDetail(number)
  return (
    <Drawer open size="min(640px, 100vw)" onClose={close} title={t('feedback.one', { n: number })}>
      <Loaded query={query}>{(detail) => <Detail detail={detail} />}</Loaded>
    </Drawer>
  )
}

function Detail({ detail }: { detail: FeedbackDetail }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const { item, entries } = detail
  return (
    <div className="stack">
      <p style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere', margin: 0, fontSize: 16 }}>{item.text}</p>
      <Facts
        items={[
          { key: 'status', label: t('feedback.status'), value: <FeedbackStatus status={item.status} /> },
          { key: 'person', label: t('feedback.col.person'), value: item.uid === null ? item.distinct_id : <Link to={personAddress(item.uid)}>{item.distinct_id}</Link> },
          { key: 'at', label: t('feedback.col.at'), value: format.instantFull(item.at) },
          { key: 'topic', label: t('feedback.topic'), value: [item.topic, item.rating === null ? '' : t('feedback.rating', { n: item.rating }), item.channel].filter(Boolean).join(' · ') || '—' },
          { key: 'assignee', label: t('feedback.assignee'), value: item.assignee || t('feedback.assignee.none') },
        ]}
      />
      <section aria-label={t('feedback.history')}>
        <h3 style={{ fontSize: 15 }}>{t('feedback.history')}</h3>
        {entries.length === 0 ? (
          <p className="muted">{t('feedback.history.none')}</p>
        ) : (
          <ul className="lines">
            {entries.map((entry) => (
              <li key={entry.id}>
                <div className="fill" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
                  <strong>{t(`feedback.entry.${entry.kind}`)}</strong>
                  {t('colon')}
                  {entry.kind === 'status' && (entry.text === 'open' || entry.text === 'answered' || entry.text === 'closed') ? t(`feedback.status.${entry.text}`) : entry.text || t('feedback.assignee.none')}
                  <div className="small muted">
                    {entry.by} · <span title={format.instantFull(entry.at)}>{format.ago(entry.at)}</span>
                  </div>
                </div>
              </li>
            ))}
          </ul>
        )}
      </section>
      {can('operator') && <Work detail={detail} />}
    </div>
  )
}

function Work({ detail }: { detail: FeedbackDetail }) {
  const { t } = useLanguage()
  const act = useAct()
  const user = useUser()
  const refresh = useRefreshFeedback()
  const { item } = detail
  const [answer, setAnswer] = useState('')
  const [note, setNote] = useState('')
  const [assignee, setAssignee] = useState(item.assignee)
  const me = user.email ?? user.name
  const path = `/feedback/${item.id}`

  async function run(action: () => Promise<unknown>, done: string, after: () => void = () => undefined) {
    if (await act(action, done)) after()
    await refresh()
  }
  const assign = (name: string) => void run(() => http.put(`${path}/assignee`, { assignee: name }), t('feedback.assigned'), () => setAssignee(name))
  const move = (status: 'open' | 'closed') => void run(() => http.post('/feedback/status', { ids: [item.id], status }), t(`feedback.done.${status}`))
  return (
    <div className="stack">
      {item.status !== 'closed' && (
        <form
          className="stack tight"
          onSubmit={(event) => {
            event.preventDefault()
            void run(() => http.post(`${path}/answer`, { text: answer }), t('feedback.answered'), () => setAnswer(''))
          }}
        >
          <label className="labelled">
            {t('feedback.answer')}
            <Input.TextArea value={answer} maxLength={8000} autoSize={{ minRows: 3, maxRows: 12 }} onChange={(event) => setAnswer(event.target.value)} />
          </label>
          <p className="small muted" style={{ margin: 0 }}>{t('feedback.answer.about')}</p>
          <div>
            <Button type="primary" htmlType="submit" disabled={answer.trim() === ''}>
              {t('feedback.answer.save')}
            </Button>
          </div>
        </form>
      )}
      <form
        className="stack tight"
        onSubmit={(event) => {
          event.preventDefault()
          void run(() => http.post(`${path}/note`, { text: note }), t('feedback.noted'), () => setNote(''))
        }}
      >
        <label className="labelled">
          {t('feedback.note')}
          <Input.TextArea value={note} maxLength={8000} autoSize={{ minRows: 1, maxRows: 8 }} onChange={(event) => setNote(event.target.value)} />
        </label>
        <div>
          <Button htmlType="submit" disabled={note.trim() === ''}>
            {t('feedback.note.save')}
          </Button>
        </div>
      </form>
      <label className="labelled">
        {t('feedback.assignee')}
        <Input value={assignee} maxLength={100} onChange={(event) => setAssignee(event.target.value)} />
      </label>
      <div className="row">
        <Button disabled={assignee.trim() === item.assignee} onClick={() => assign(assignee.trim())}>
          {t('feedback.assign.save')}
        </Button>
        {me !== item.assignee && <Button onClick={() => assign(me)}>{t('feedback.assign.me')}</Button>}
        {item.status === 'closed' ? <Button onClick={() => move('open')}>{t('feedback.reopen')}</Button> : <Button onClick={() => move('closed')}>{t('feedback.close')}</Button>}
      </div>
    </div>
  )
}
