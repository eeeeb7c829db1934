import { App, Button, Segmented, Select } from 'antd'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { FeedbackFigures, FeedbackLine, FeedbackMoved } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { personAddress } from '@/ui/person-link'
import { Stats } from '@/ui/stats'
import { useAct } from '@/ui/use-act'
import { useNarrow } from '@/ui/use-narrow'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { FeedbackDrawer } from './drawer'
import { useFeedback, useFeedbackFigures, useRefreshFeedback } from './queries'
import { FeedbackStatus } from './status'

const statuses = ['open', 'answered', 'closed', 'all'] as const
const ages = [1, 3, 7, 30]

export default function FeedbackPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const { notification } = App.useApp()
  const url = useUrlState()
  const narrow = useNarrow()
  const refresh = useRefreshFeedback()
  const [chosen, setChosen] = useState<number[]>([])
  const [cursor, setCursor] = useState(-1)
  const filter = { status: oneOf(url.get('status'), statuses), topic: url.get('topic'), assignee: url.get('assignee'), older_days: url.get('older_days') }
  const query = useFeedback(filter)
  const figures = useFeedbackFigures()
  const rows = query.data?.pages.flatMap((page) => page.items) ?? []
  const open = url.get('item')
  const narrowed = filter.topic !== '' || filter.assignee !== '' || filter.older_days !== '' || filter.status !== 'open'
  const signature = JSON.stringify(filter)
  useEffect(() => {
    setChosen([])
    setCursor(-1)
  }, [signature])

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement
      if (open || event.ctrlKey || event.metaKey || event.altKey || at.closest('input, textarea, select, [contenteditable], [role=dialog], [role=listbox], [role=combobox]')) return
      const row = rows[cursor]
      if (event.key === 'j' || event.key === 'k') {
        const next = Math.max(0, Math.min(rows.length - 1, cursor + (event.key === 'j' ? 1 : -1)))
        setCursor(next)
        document.querySelectorAll('.feedback-row')[next]?.scrollIntoView({ block: 'nearest' })
      } else if (event.key === 'Enter' && row && !at.closest('a, button')) url.set({ item: row.id }, { push: true })
      else if (event.key === 'x' && row && can('operator')) setChosen((now) => (now.includes(row.id) ? now.filter((id) => id !== row.id) : [...now, row.id]))
      else return
      event.preventDefault()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  })

  async function undo(moved: FeedbackMoved['moved']) {
    await act(async () => {
      for (const status of ['open', 'answered'] as const) {
        const ids = moved.filter((one) => one.was === status).map((one) => one.id)
        if (ids.length > 0) await http.post('/feedback/status', { ids, status })
      }
    }, t('feedback.undone'))
    await refresh()
  }
  async function closeChosen() {
    await act(async () => {
      const { moved } = await http.post<FeedbackMoved>('/feedback/status', { ids: chosen, status: 'closed' })
      setChosen([])
      const key = 'feedback-closed'
      notification.success({
        key,
        title: t('feedback.closed.n', { n: moved.length }),
        duration: 10,
        actions: (
          <Button
            size="small"
            onClick={() => {
              notification.destroy(key)
              void undo(moved)
            }}
          >
            {t('feedback.undo')}
          </Button>
        ),
      })
    })
    await refresh()
  }
  return (
    <Page title={t('feedback.title')} about={t('feedback.about')}>
      {figures.data && <Figures figures={figures.data} />}
      <section className="panel inside" aria-label={t('feedback.filters')}>
        <div className="row">
          <Segmented value={filter.status} options={statuses.map((value) => ({ value, label: t(`feedback.status.${value}`) }))} onChange={(value) => url.set({ status: value === 'open' ? null : value })} aria-label={t('feedback.status')} />
          <Select
            style={{ minWidth: 150, maxWidth: '100%' }}
            aria-label={t('feedback.topic')}
            value={filter.topic}
            options={[{ value: '', label: `${t('feedback.topic')}${t('colon')}${t('feedback.any')}` }, ...(figures.data?.topics ?? []).map((one) => ({ value: one.topic, label: `${one.topic} (${format.count(one.items)})` }))]}
            onChange={(value) => url.set({ topic: value })}
          />
          <Select
            style={{ minWidth: 150, maxWidth: '100%' }}
            aria-label={t('feedback.assignee')}
            value={filter.assignee}
            options={[{ value: '', label: `${t('feedback.assignee')}${t('colon')}${t('feedback.any')}` }, { value: '-', label: t('feedback.assignee.none') }, ...(figures.data?.assignees ?? []).map((value) => ({ value, label: value }))]}
            onChange={(value) => url.set({ assignee: value })}
          />
          <Select
            style={{ minWidth: 150, maxWidth: '100%' }}
            aria-label={t('feedback.age')}
            value={filter.older_days}
            options={[{ value: '', label: `${t('feedback.age')}${t('colon')}${t('feedback.any')}` }, ...ages.map((n) => ({ value: String(n), label: t('feedback.age.days', { n }) }))]}
            onChange={(value) => url.set({ older_days: value })}
          />
        </div>
      </section>
      {can('operator') && chosen.length > 0 && (
        <div className="sticky-actions row">
          <Button type="primary" onClick={() => void closeChosen()}>
            {t('feedback.close.n', { n: chosen.length })}
          </Button>
        </div>
      )}
      <section className="panel" aria-label={t('feedback.title')}>
        <div className="flush">
          <Loaded query={query} rows={8}>
            {(data) =>
              rows.length === 0 ? (
                narrowed ? (
                  <EmptyState picture="table" title={t('feedback.none')} action={<Button onClick={() => url.set({ status: null, topic: null, assignee: null, older_days: null })}>{t('action.clear')}</Button>} />
                ) : (
                  <EmptyState picture="done" title={t('feedback.empty')}>
                    {t('feedback.empty.about')}
                  </EmptyState>
                )
              ) : (
                <>
                  <DataTable<FeedbackLine>
                    rowKey="id"
                    dataSource={rows}
                    pagination={false}
                    {...(narrow ? {} : { scroll: { x: 760 } })}
                    rowClassName={(_, position) => (position === cursor ? 'feedback-row ant-table-row-selected' : 'feedback-row')}
                    {...(can('operator')
                      ? { rowSelection: { hideSelectAll: true, columnTitle: <span className="sr">{t('feedback.pick.all')}</span>, selectedRowKeys: chosen, onChange: (keys) => setChosen(keys.map(Number)), getCheckboxProps: (row) => ({ 'aria-label': t('feedback.pick', { n: row.id }) }) } }
                      : {})}
                    columns={[
                      {
                        title: t('feedback.col.text'),
                        render: (_, row) => (
                          <>
                            <Button type="link" style={{ padding: 0, height: 'auto', whiteSpace: 'normal', textAlign: 'start' }} onClick={() => url.set({ item: row.id }, { push: true })}>
                              {row.text.length > 120 ? `${row.text.slice(0, 120)}…` : row.text}
                            </Button>
                            <div className="small muted">{[row.topic, row.rating === null ? '' : t('feedback.rating', { n: row.rating }), row.channel].filter(Boolean).join(' · ')}</div>
                            {narrow && (
                              <div className="row small">
                                <FeedbackStatus status={row.status} />
                                <PersonOf row={row} />
                                <span className="muted">{row.assignee || t('feedback.assignee.none')}</span>
                                <span className="muted">{format.ago(row.at)}</span>
                              </div>
                            )}
                          </>
                        ),
                      },
                      // On a phone the rest stands under the words.
                      ...(narrow ? [] : [
                      { title: t('feedback.status'), width: 100, render: (_: unknown, row: FeedbackLine) => <FeedbackStatus status={row.status} /> },
                      { title: t('feedback.assignee'), width: 140, render: (_: unknown, row: FeedbackLine) => row.assignee || <span className="muted">{t('feedback.assignee.none')}</span> },
                      { title: t('feedback.col.person'), width: 140, render: (_: unknown, row: FeedbackLine) => <PersonOf row={row} /> },
                      { title: t('feedback.col.at'), width: 120, render: (_: unknown, row: FeedbackLine) => <span title={format.instantFull(row.at)}>{format.ago(row.at)}</span> },
                      ]),
                    ]}
                  />
                  <div className="gridfoot small muted row between">
                    <span aria-live="polite">{t('survey.texts.count', { shown: rows.length, total: data.pages[0]?.total ?? 0 })}</span>
                    {!narrow && <span>{t('feedback.keys')}</span>}
                    {query.hasNextPage && (
                      <Button size="small" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                        {t('action.more')}
                      </Button>
                    )}
                  </div>
                </>
              )
            }
          </Loaded>
        </div>
      </section>
      {open && <FeedbackDrawer key={open} number={open} close={() => url.set({ item: null })} />}
    </Page>
  )
}

function PersonOf({ row }: { row: FeedbackLine }) {
  return row.uid === null ? <>{row.distinct_id}</> : <Link to={personAddress(row.uid)}>{row.distinct_id}</Link>
}

function Figures({ figures }: { figures: FeedbackFigures }) {
  const { t } = useLanguage()
  const format = useFormat()
  const of = t('feedback.stat.of', { n: figures.answered_of, of: figures.received, days: figures.days })
  return (
    <Stats
      label={t('feedback.figures')}
      items={[
        { key: 'open', label: t('feedback.stat.open'), value: format.count(figures.open), ...(figures.oldest_open_at ? { detail: t('feedback.stat.oldest', { when: format.ago(figures.oldest_open_at) }) } : {}) },
        { key: 'median', label: t('feedback.stat.median'), value: format.duration(figures.median_seconds), detail: of },
        { key: 'p90', label: t('feedback.stat.p90'), value: format.duration(figures.p90_seconds), detail: of },
      ]}
    />
  )
}
