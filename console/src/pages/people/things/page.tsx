import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Button, Drawer, Input, Select } from 'antd'
import { http } from '@/api/client'
import type { Thing, ThingKinds, ThingList, Trait } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { TraitValue } from '@/ui/trait-value'
import { useUrlState } from '@/url/use-url-state'

/** Companies, households, products, articles: what sources told of them. */
export default function ThingsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const kinds = useQuery({ queryKey: ['things', 'kinds'], queryFn: ({ signal }) => http.get<ThingKinds>('/things/kinds', undefined, signal) })
  const chosen = url.get('kind')
  const kind = chosen === '' ? (kinds.data?.kinds[0]?.kind ?? '') : chosen
  const begins = url.get('q')
  const open = url.get('id')
  const query = useInfiniteQuery({
    queryKey: ['things', kind, begins],
    queryFn: ({ signal, pageParam }) => http.get<ThingList>('/things', { kind, q: begins, cursor: pageParam, limit: 100 }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    enabled: kind !== '',
    placeholderData: (previous) => previous,
  })
  return (
    <Page title={t('things.title')} about={t('things.about')}>
      <Loaded query={kinds} rows={6}>
        {(known) =>
          known.kinds.length === 0 ? (
            <EmptyState picture="table" title={t('things.empty')}>
                {t('things.empty.about')}
              </EmptyState>
          ) : (
            <Panel label={t('things.title')} flush>
              <div className="row" style={{ padding: '14px 18px', gap: 10, flexWrap: 'wrap' }}>
                <Select
                  aria-label={t('things.kind')}
                  value={kind}
                  onChange={(value) => url.set({ kind: value, q: '', id: '' })}
                  style={{ minWidth: 220 }}
                  options={known.kinds.map((one) => ({ value: one.kind, label: `${kindName(one.kind, t)} (${format.count(one.things)})` }))}
                />
                <Input.Search aria-label={t('things.search')} placeholder={t('things.search')} allowClear defaultValue={begins} onSearch={(value) => url.set({ q: value.trim() })} style={{ maxWidth: 280 }} />
              </div>
              <Loaded query={query} rows={6}>
                {(data) => {
                  const rows = data.pages.flatMap((page) => page.things)
                  const opened = rows.find((one) => one.id === open)
                  return (
                    <>
                      {rows.length === 0 ? (
                        <EmptyState picture="table" title={t('things.none')}>
                {t('things.none.about', { q: begins })}
              </EmptyState>
                      ) : (
                        <DataTable<Thing>
                          size="small"
                          rowKey="id"
                          dataSource={rows}
                          pagination={false}
                          columns={[
                            {
                              title: t('things.id'),
                              render: (_, one) => (
                                <Button type="link" className="mono" style={{ paddingInline: 0 }} onClick={() => url.set({ id: one.id })}>
                                  {one.id}
                                </Button>
                              ),
                            },
                            { title: t('things.known'), render: (_, one) => <Short traits={one.traits} /> },
                            { title: t('things.traits'), align: 'right', render: (_, one) => format.count(one.traits.length) },
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
                      {opened && (
                        <Drawer open onClose={() => url.set({ id: '' })} title={`${kindName(opened.kind, t)} · ${opened.id}`} size={620}>
                          <DataTable<Trait>
                            size="small"
                            rowKey="name"
                            dataSource={opened.traits}
                            pagination={false}
                            columns={[
                              { title: t('person.traits.name'), dataIndex: 'name' },
                              { title: t('person.traits.value'), render: (_, trait) => <TraitValue trait={trait} /> },
                              { title: t('person.ids.source'), dataIndex: 'source' },
                              { title: t('person.traits.at'), render: (_, trait) => <span title={format.instantFull(trait.at)}>{format.dayOf(trait.at)}</span> },
                            ]}
                          />
                        </Drawer>
                      )}
                    </>
                  )
                }}
              </Loaded>
            </Panel>
          )
        }
      </Loaded>
    </Page>
  )
}

function Short({ traits }: { traits: Trait[] }) {
  return (
    <span className="small">
      {traits.slice(0, 3).map((trait, at) => (
        <span key={trait.name}>
          {at > 0 && ' · '}
          <span className="muted">{trait.name}</span> <TraitValue trait={trait} />
        </span>
      ))}
    </span>
  )
}

function kindName(kind: string, t: ReturnType<typeof useLanguage>['t']): string {
  const [what, name = ''] = kind.split(':', 2)
  return what === 'group' ? t('things.group', { name }) : what === 'item' ? t('things.item', { name }) : kind
}
