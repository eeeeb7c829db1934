import { useInfiniteQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { http } from '@/api/client'
import type { AuditEntry, AuditPage } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage, type Translate } from '@/i18n/language'
import { messages, type MessageKey } from '@/i18n/messages'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'

/** What was done in words where we have them, else as the server names it. */
function actionText(t: Translate, action: string): string {
  const key = `audit.action.${action}`
  return key in messages ? t(key as MessageKey) : action
}

function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return ''
  if (typeof detail !== 'object') return JSON.stringify(detail)
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ')
}

export function AuditSection() {
  const { t } = useLanguage()
  const format = useFormat()
  const audit = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam, signal }) => http.get<AuditPage>('/audit', { cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
  })
  return (
    <Panel title={t('settings.section.audit')} about={t('audit.about')} flush>
      <Loaded query={audit} rows={8}>
        {(data) => {
          const entries = data.pages.flatMap((page) => page.entries)
          if (entries.length === 0) return <EmptyState picture="table" title={t('audit.empty')} />
          return (
            <>
              <DataTable<AuditEntry & { at_index: number }>
                rowKey="at_index"
                size="middle"
                dataSource={entries.map((entry, at) => ({ ...entry, at_index: at }))}
                pagination={false}
                scroll={{ x: 680 }}
                columns={[
                  { title: t('audit.at', { zone: format.place.timezone }), render: (_, entry) => <span className="num">{format.instant(entry.at)}</span> },
                  { title: t('audit.who'), dataIndex: 'who' },
                  { title: t('audit.action'), render: (_, entry) => <span title={entry.action}>{actionText(t, entry.action)}</span> },
                  { title: t('audit.what'), render: (_, entry) => <span style={{ overflowWrap: 'anywhere' }}>{entry.what}</span> },
                  { title: t('audit.detail'), render: (_, entry) => <span className="small muted" style={{ overflowWrap: 'anywhere' }}>{detailText(entry.detail)}</span> },
                ]}
              />
              {audit.hasNextPage && (
                <div style={{ padding: 16, textAlign: 'center' }}>
                  <Button loading={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
                    {t('action.more')}
                  </Button>
                </div>
              )}
            </>
          )
        }}
      </Loaded>
    </Panel>
  )
}
