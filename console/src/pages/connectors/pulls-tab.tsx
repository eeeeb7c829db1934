import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Switch } from 'antd'
import { http } from '@/api/client'
import type { Pull } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'
import { PullDrawer } from './pull-drawer'
import { RunsDrawer } from './runs-drawer'

/** What is fetched: when, how far it came, how the last run went. */
export function PullsTab() {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['pulls'], queryFn: ({ signal }) => http.get<{ pulls: Pull[]; folders: string[] }>('/pulls', undefined, signal), refetchInterval: 3_000 })
  const refresh = () => client.invalidateQueries({ queryKey: ['pulls'] })
  const chosen = url.get('pull')
  const edited = query.data?.pulls.find((one) => one.key === chosen)
  const shown = query.data?.pulls.find((one) => one.key === url.get('runs'))
  const address = (one: Pull) => `/pulls/${encodeURIComponent(one.key)}`

  function ask(title: string, content: string, okText: string, action: () => Promise<unknown>, done: string) {
    void modal.confirm({
      title,
      content,
      okText,
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(action, done)
        await refresh()
      },
    })
  }
  async function start(one: Pull) {
    await act(() => http.post(`${address(one)}/run`, {}), t('pulls.started'))
    await refresh()
  }
  function state(one: Pull) {
    if (one.running) return <Pill tone="info">{t('pulls.running')}</Pill>
    if (one.error) return <Pill tone="bad">{t('pulls.failed', { n: one.failures })}</Pill>
    if (!one.last_at) return <span className="muted">{t('pulls.never')}</span>
    return <Pill tone="good">{t('pulls.well')}</Pill>
  }
  return (
    <div className="stack">
      <p className="muted" style={{ margin: 0 }}>{t('pulls.about')}</p>
      <div>
        <Button type="primary" onClick={() => url.set({ pull: ' ' })}>
          {t('pulls.add')}
        </Button>
      </div>
      <Panel label={t('connectors.tab.pulls')} flush>
        <Loaded query={query}>
          {(data) =>
            data.pulls.length === 0 ? (
              <EmptyState picture="files" title={t('pulls.empty')}>
                {t('pulls.empty.about')}
              </EmptyState>
            ) : (
              <DataTable<Pull>
                rowKey="key"
                dataSource={data.pulls}
                pagination={false}
                scroll={{ x: 1080 }}
                columns={[
                  {
                    title: t('pulls.key'),
                    width: 200,
                    render: (_, one) => (
                      <>
                        {one.title}
                        <div className="small muted">{`${t(`pulls.kind.${one.connection.kind}`)} · ${one.source}`}</div>
                      </>
                    ),
                  },
                  { title: t('pulls.schedule'), render: (_, one) => (one.every_minutes ? t('pulls.every', { n: one.every_minutes }) : t('pulls.by.hand')) },
                  {
                    title: t('pulls.last'),
                    width: 260,
                    render: (_, one) => (
                      <>
                        {state(one)} {one.last_at && <span className="small muted">{format.ago(one.last_at)}</span>}
                        {one.error && <div className="small" style={{ overflowWrap: 'anywhere' }}>{one.error}</div>}
                        {one.error && one.next_at && <div className="small muted">{t('pulls.again', { when: format.instant(one.next_at) })}</div>}
                      </>
                    ),
                  },
                  { title: t('pulls.mark'), width: 200, render: (_, one) => <span className="small" style={{ overflowWrap: 'anywhere' }}>{one.mark ?? t('pulls.mark.none')}</span> },
                  {
                    title: <span className="sr">{t('pulls.actions')}</span>,
                    align: 'right',
                    render: (_, one) => (
                      <span className="row" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
                        <Switch
                          size="small"
                          checked={one.enabled}
                          aria-label={t('pulls.on', { name: one.title })}
                          onChange={(enabled) =>
                            void act(async () => {
                              await http.patch(address(one), { enabled })
                              await refresh()
                            })
                          }
                        />
                        <Button size="small" disabled={one.running} onClick={() => void start(one)}>
                          {t('pulls.run')}
                        </Button>
                        <Button size="small" onClick={() => url.set({ runs: one.key })}>
                          {t('pulls.history')}
                        </Button>
                        <Button size="small" onClick={() => url.set({ pull: one.key })}>
                          {t('pulls.edit')}
                        </Button>
                        <Button
                          size="small"
                          disabled={one.running || !one.mark}
                          onClick={() => ask(t('pulls.reset.title', { name: one.title }), t('pulls.reset.about'), t('pulls.reset'), () => http.post(`${address(one)}/reset`, {}), t('pulls.reset.done'))}
                        >
                          {t('pulls.reset')}
                        </Button>
                        <Button size="small" onClick={() => ask(t('pulls.remove.title', { name: one.title }), t('pulls.remove.about'), t('connectors.remove'), () => http.delete(address(one)), t('connectors.removed'))}>
                          {t('connectors.remove')}
                        </Button>
                      </span>
                    ),
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Panel>
      {query.data && chosen !== '' && (chosen === ' ' || edited) && (
        <PullDrawer key={chosen} pull={edited} folders={query.data.folders} close={() => url.set({ pull: null })} saved={refresh} />
      )}
      {shown && <RunsDrawer key={shown.key} pull={shown} close={() => url.set({ runs: null })} />}
    </div>
  )
}
