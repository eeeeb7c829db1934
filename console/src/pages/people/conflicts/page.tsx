import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Select } from 'antd'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { IdentityConflict, IdentityConflicts, IdentitySummary } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { personAddress } from '@/ui/person-link'
import { Stats } from '@/ui/stats'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'
import { reasonOf, verbOf } from '../identity-words'
import { Refused } from '../one/identity-tab'

/** Links that were said and not applied, with the reason; whoever knows better may join the two. */
export default function ConflictsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const { modal } = App.useApp()
  const client = useQueryClient()
  const reason = url.get('reason')
  const summary = useQuery({ queryKey: ['identity'], queryFn: ({ signal }) => http.get<IdentitySummary>('/identity', undefined, signal) })
  const query = useInfiniteQuery({
    queryKey: ['identity', 'conflicts', reason],
    queryFn: ({ signal, pageParam }) => http.get<IdentityConflicts>('/identity/conflicts', { reason, cursor: pageParam }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
  })

  function merge(conflict: IdentityConflict) {
    const { a, b } = conflict.link
    if (!b) return
    void modal.confirm({
      title: t('identity.merge.title'),
      content: t('identity.merge.about', { a: a.id, b: b.id }),
      okText: t('identity.merge'),
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(async () => {
          await http.post('/identity/merge', { person: a.id, other: b.id })
          await client.invalidateQueries()
        }, t('identity.merge.done'))
      },
    })
  }
  return (
    <Page title={t('conflicts.title')} about={t('conflicts.about')}>
      <Loaded query={summary} rows={2}>
        {(data) => (
          <Stats
            label={t('conflicts.title')}
            items={[
              { key: 'people', label: t('conflicts.people'), value: format.count(data.people), detail: t('conflicts.ids', { n: data.ids }) },
              { key: 'several', label: t('conflicts.several'), value: format.percent(data.people > 0 ? data.several_kinds / data.people : 0, 1), detail: `${format.count(data.several_kinds)} / ${format.count(data.people)}` },
              { key: 'merges', label: t('conflicts.merges'), value: format.count(data.merges) },
              { key: 'conflicts', label: t('conflicts.count'), value: format.count(data.conflicts) },
            ]}
          />
        )}
      </Loaded>
      <Panel label={t('conflicts.title')} flush>
        <Loaded query={query} rows={8}>
          {(data) => {
            const rows = data.pages.flatMap((page) => page.conflicts)
            const reasons = data.pages[0]?.reasons ?? []
            return (
              <>
                {(reasons.length > 0 || reason) && (
                  <div className="row" style={{ padding: '4px 18px 12px' }}>
                    <Select
                      aria-label={t('identity.state')}
                      value={reason}
                      onChange={(value) => url.set({ reason: value })}
                      style={{ minWidth: 240 }}
                      options={[
                        { value: '', label: t('conflicts.all') },
                        ...reasons.map((one) => {
                          const words = reasonOf(one.reason)
                          return { value: one.reason, label: `${words ? t(words) : one.reason} (${format.count(one.links)})` }
                        }),
                      ]}
                    />
                  </div>
                )}
                {rows.length === 0 ? (
                  <EmptyState picture="done" title={t('conflicts.empty')}>
                    {t('conflicts.empty.about')}
                  </EmptyState>
                ) : (
                  <DataTable<IdentityConflict>
                    rowKey={(one) => `${one.link.key}${one.link.verb}`}
                    size="small"
                    dataSource={rows}
                    pagination={false}
                    scroll={{ x: 820 }}
                    columns={[
                      { title: t('identity.one'), render: (_, one) => <PersonId uid={one.a_uid} kind={one.link.a.kind} id={one.link.a.id} /> },
                      { title: t('identity.reason'), render: (_, one) => t(verbOf(one.link.verb)) },
                      { title: t('identity.other'), render: (_, one) => (one.link.b ? <PersonId uid={one.b_uid} kind={one.link.b.kind} id={one.link.b.id} /> : '—') },
                      { title: t('identity.state'), render: (_, one) => <Refused refused={one.link.refused} /> },
                      { title: t('person.ids.source'), render: (_, one) => one.link.source },
                      { title: t('identity.last'), render: (_, one) => <span title={format.instantFull(one.link.last_at)}>{format.dayOf(one.link.last_at)}</span> },
                      {
                        title: <span className="sr">{t('identity.merge')}</span>,
                        align: 'right',
                        render: (_, one) =>
                          can('operator') &&
                          one.link.refused.startsWith('both_identified') && (
                            <Button size="small" onClick={() => merge(one)}>
                              {t('identity.merge')}
                            </Button>
                          ),
                      },
                    ]}
                  />
                )}
                {query.hasNextPage && (
                  <div style={{ padding: 18 }}>
                    <Button loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                      {t('action.more')}
                    </Button>
                  </div>
                )}
              </>
            )
          }}
        </Loaded>
      </Panel>
    </Page>
  )
}

function PersonId({ uid, kind, id }: { uid: number | null; kind: string; id: string }) {
  const name = (
    <span className="mono small">
      {kind}: {id}
    </span>
  )
  return uid === null ? name : <Link to={personAddress(uid)}>{name}</Link>
}
