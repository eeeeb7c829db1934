import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Select, Skeleton } from 'antd'
import { useMemo, useState } from 'react'
import { http } from '@/api/client'
import type { SqlResult, SqlSchema } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { AsCode } from '@/ui/as-code'
import { EmptyState } from '@/ui/empty'
import { ExportButton } from '@/ui/export-button'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { numberOf, useUrlState } from '@/url/use-url-state'
import { drawable } from './drawable'
import { Editor } from './editor'
import { ResultChart } from './result-chart'
import { ResultTable } from './result-table'
import { SavedQueries } from './saved'
import { SchemaBrowser } from './schema-browser'

const limits = [100, 1000, 5000, 10_000]

export default function SqlPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const url = useUrlState()
  const client = useQueryClient()
  const asked = url.get('sql')
  const limit = numberOf(url.get('limit')) ?? 1000
  const [text, setText] = useState(asked)
  const [insert, setInsert] = useState<{ text: string; replace: boolean } | null>(null)
  const schema = useQuery({ queryKey: ['sql', 'schema'], queryFn: ({ signal }) => http.get<SqlSchema>('/sql/schema', undefined, signal), staleTime: Infinity })
  const answer = useQuery({
    queryKey: ['sql', asked, limit],
    queryFn: ({ signal }) => http.post<SqlResult>('/sql', { sql: asked, limit }, undefined, signal),
    enabled: asked !== '' && can('analyst'),
    gcTime: 60_000,
  })

  const drawing = useMemo(() => (answer.data ? drawable(answer.data) : null), [answer.data])

  const stopped = asked !== '' && answer.isPending && answer.fetchStatus === 'idle' && can('analyst')

  function run() {
    const statement = text.trim()
    if (statement === '') return
    if (statement === asked) void answer.refetch()
    else url.set({ sql: statement }, { push: true })
  }
  return (
    <Page title={t('sql.title')} about={t('sql.about')}>
      <div className="sql-layout">
        <div className="stack">
          <Panel label={t('sql.editor')}>
            <div className="stack tight">
              <Editor value={text} change={setText} run={run} schema={schema.data} insert={insert} inserted={() => setInsert(null)} label={t('sql.editor')} />
              <div className="row">
                <Button type="primary" onClick={run} loading={answer.isFetching} disabled={text.trim() === ''}>
                  {t('sql.run')}
                </Button>
                {answer.isFetching && <Button onClick={() => void client.cancelQueries({ queryKey: ['sql', asked, limit] })}>{t('action.stop')}</Button>}
                <span className="row small muted">
                  <label htmlFor="sql-limit">{t('sql.limit')}</label>
                  <Select id="sql-limit" size="small" value={limit} options={limits.map((n) => ({ value: n, label: t('unit.rows', { n }) }))} onChange={(n) => url.set({ limit: n === 1000 ? null : n })} />
                </span>
                <span className="grow" />
                {can('analyst') && <SavedQueries text={text} open={(one) => { setInsert({ text: one.sql, replace: true }); url.set({ saved: one.id, sql: one.sql }, { push: true }) }} />}
                {asked !== '' && <AsCode path="/sql" body={{ sql: asked, limit }} size="small" />}
                {answer.data && <ExportButton method="POST" path="/sql/export" body={{ sql: asked }} name="query" size="small" />}
              </div>
            </div>
          </Panel>
          <div aria-live="polite">
            {asked === '' ? (
              <Panel>
                <EmptyState picture="table" title={t('sql.start')}>
                  {t('sql.start.about')}
                </EmptyState>
              </Panel>
            ) : stopped ? (
              <Panel>
                <p className="muted">{t('action.stopped')}</p>
              </Panel>
            ) : answer.error ? (
              <ProblemView error={answer.error} retry={() => void answer.refetch()} />
            ) : answer.data ? (
              <div className="stack">
              {drawing && <ResultChart drawing={drawing} rows={answer.data.rows.length} />}
              <Panel
                title={t('sql.result')}
                flush
                extra={
                  <span className="small muted">
                    {t('sql.rows', { n: answer.data.rows.length, took: format.milliseconds(answer.data.took_ms) })} · {t('sql.asof', { n: answer.data.as_of })}
                  </span>
                }
              >
                {answer.data.truncated && <Alert banner type="warning" title={`${t('sql.truncated', { n: answer.data.rows.length })}${t('stop')}${t('sql.truncated.about')}`} />}
                {answer.data.rows.length === 0 ? (
                  <EmptyState picture="table" title={t('sql.empty')}>
                    {t('sql.empty.about')}
                  </EmptyState>
                ) : (
                  <ResultTable result={answer.data} />
                )}
              </Panel>
              </div>
            ) : (
              <Panel>
                <p className="muted" role="status">
                  {t('sql.running')}
                </p>
                <Skeleton active title={false} paragraph={{ rows: 6, width: '100%' }} />
              </Panel>
            )}
          </div>
        </div>
        <Loaded query={schema}>{(data) => <SchemaBrowser schema={data} insert={(name) => setInsert({ text: name, replace: false })} use={(statement) => setInsert({ text: statement, replace: true })} />}</Loaded>
      </div>
    </Page>
  )
}
