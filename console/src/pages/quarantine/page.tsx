import { Button, Input, Segmented, Tag } from 'antd'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import type { QuarantineRow } from '@/api/types'
import { useDelayed } from '@/format/use-delayed'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page } from '@/ui/page'
import { oneOf, useUrlState } from '@/url/use-url-state'
import { Actions } from './actions'
import { useQuarantine } from './queries'
import { reasonText } from './reasons'

const states = ['open', 'replayed', 'dismissed'] as const

export default function QuarantinePage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const url = useUrlState()
  const [text, setText] = useState(url.get('q'))
  const [chosen, setChosen] = useState<number[]>([])
  const filter = { import_id: url.get('import_id'), reason: url.get('reason'), q: url.get('q'), state: oneOf(url.get('state'), states) }
  const query = useQuarantine(filter)
  const first = query.data?.pages[0]

  const typed = useDelayed(text)
  const { set } = url
  useEffect(() => set({ q: typed }), [typed, set])
  const signature = JSON.stringify(filter)
  useEffect(() => setChosen([]), [signature])

  return (
    <Page title={t('quarantine.title')} about={t('quarantine.about')}>
      <section className="panel inside" aria-label={t('quarantine.reasons')}>
        <div className="stack">
          <div className="row">
            <Segmented value={filter.state} options={states.map((state) => ({ value: state, label: t(`quarantine.state.${state}`) }))} onChange={(state) => url.set({ state: state === 'open' ? null : state })} aria-label={t('quarantine.state')} />
            <Input.Search allowClear style={{ width: 280 }} value={text} placeholder={t('quarantine.search')} aria-label={t('quarantine.search')} onChange={(event) => setText(event.target.value)} onSearch={(value) => url.set({ q: value })} />
            {filter.import_id && (
              <Tag closable onClose={() => url.set({ import_id: null })}>
                <Link to={`/data/imports/${filter.import_id}`}>{t('quarantine.import')}</Link>
              </Tag>
            )}
          </div>
          {first && first.reasons.length > 0 && (
            <div className="row" role="group" aria-label={t('quarantine.reasons')}>
              <Button size="small" type={filter.reason === '' ? 'primary' : 'default'} aria-pressed={filter.reason === ''} onClick={() => url.set({ reason: null })}>
                {t('quarantine.all')} {format.count(first.reasons.reduce((sum, one) => sum + one.rows, 0))}
              </Button>
              {first.reasons.map((one) => (
                <Button key={one.reason} size="small" type={filter.reason === one.reason ? 'primary' : 'default'} aria-pressed={filter.reason === one.reason} onClick={() => url.set({ reason: one.reason })}>
                  {reasonText(t, one.reason)} {format.count(one.rows)}
                </Button>
              ))}
            </div>
          )}
        </div>
      </section>
      {can('operator') && filter.state === 'open' && first && first.total > 0 && (
        <Actions chosen={chosen} total={first.total} filter={filter} columns={[...new Set(query.data?.pages.flatMap((page) => page.rows.map((row) => row.column)).filter(Boolean))]} done={() => setChosen([])} />
      )}
      <section className="panel" aria-label={t('quarantine.title')}>
        <div className="flush">
          <Loaded query={query} rows={8}>
            {(data) => {
              const rows = data.pages.flatMap((page) => page.rows)
              if (rows.length === 0)
                return filter.state === 'open' && !filter.q && !filter.reason && !filter.import_id ? (
                  <EmptyState picture="done" title={t('quarantine.empty')}>
                    {t('quarantine.empty.about')}
                  </EmptyState>
                ) : (
                  <EmptyState picture="table" title={t('quarantine.none')} action={<Button onClick={() => url.set({ q: null, reason: null, import_id: null, state: null })}>{t('action.clear')}</Button>} />
                )
              return (
                <DataTable<QuarantineRow>
                  rowKey="id"
                  size="middle"
                  dataSource={rows}
                  pagination={false}
                  scroll={{ x: 860 }}
                  {...(can('operator') && filter.state === 'open'
                    ? { rowSelection: { hideSelectAll: true, columnTitle: <span className="sr">{t('quarantine.pick')}</span>, selectedRowKeys: chosen, onChange: (keys) => setChosen(keys.map(Number)), getCheckboxProps: (row) => ({ 'aria-label': t('quarantine.line', { n: row.line }) }) } }
                    : {})}
                  columns={[
                    {
                      title: t('quarantine.col.where'),
                      width: 220,
                      render: (_, row) => (
                        <>
                          <div style={{ overflowWrap: 'anywhere' }}>{row.import_id ? <Link to={`/data/imports/${row.import_id}`}>{row.file}</Link> : row.file}</div>
                          <div className="small muted">{[t('quarantine.line', { n: row.line }), row.column ? t('quarantine.column', { column: row.column }) : ''].filter(Boolean).join(' · ')}</div>
                        </>
                      ),
                    },
                    {
                      title: t('quarantine.col.reason'),
                      width: 220,
                      render: (_, row) => (
                        <>
                          <div>{reasonText(t, row.reason)}</div>
                          {row.detail && <div className="mono muted">{row.detail}</div>}
                        </>
                      ),
                    },
                    { title: t('quarantine.col.raw'), render: (_, row) => <span className="mono">{row.raw}</span> },
                    { title: t('quarantine.col.at'), width: 130, render: (_, row) => <span title={format.instantFull(row.at)}>{format.ago(row.at)}</span> },
                  ]}
                />
              )
            }}
          </Loaded>
          {query.hasNextPage && (
            <div style={{ padding: 16, textAlign: 'center' }}>
              <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t('action.more')}
              </Button>
            </div>
          )}
        </div>
      </section>
    </Page>
  )
}
