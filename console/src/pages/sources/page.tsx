import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal, Select, Typography } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { Source } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'
import { SettingsDrawer } from './settings-drawer'

const graces = [
  [0, 'now'],
  [24, 'day'],
  [168, 'week'],
  [2160, 'months'],
] as const

export default function SourcesPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const act = useAct()
  const client = useQueryClient()
  const url = useUrlState()
  const [rotating, setRotating] = useState<Source | null>(null)
  const [grace, setGrace] = useState(168)
  const [form] = Form.useForm<{ name: string }>()
  const sources = useQuery({ queryKey: ['sources'], queryFn: ({ signal }) => http.get<{ sources: Source[] }>('/sources', undefined, signal), refetchInterval: 10_000 })
  const refresh = () => client.invalidateQueries({ queryKey: ['sources'] })
  const live = sources.data?.sources.find((source) => !source.revoked_at)

  const open = sources.data?.sources.find((source) => String(source.id) === url.get('source') && !source.revoked_at)

  function revoke(source: Source) {
    void modal.confirm({
      title: t('sources.delete.title', { name: source.name }),
      content: t('sources.delete.about'),
      okText: t('sources.delete'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(() => http.delete(`/sources/${source.id}`), t('sources.delete.done'))
        await refresh()
      },
    })
  }
  async function rotate(source: Source) {
    await act(() => http.post(`/sources/${source.id}/rotate`, { grace_hours: grace }), t('sources.rotate.done'))
    setRotating(null)
    await refresh()
  }
  return (
    <Page title={t('sources.title')} about={t('sources.about')}>
      <Panel label={t('sources.title')} flush>
        <Form
          form={form}
          layout="inline"
          requiredMark={false}
          style={{ padding: '4px 18px 12px', rowGap: 8 }}
          onFinish={({ name }) =>
            void act(async () => {
              await http.post('/sources', { name })
              form.resetFields()
              await refresh()
            }, t('settings.saved'))
          }
        >
          <Form.Item name="name" label={t('settings.name')} rules={[{ required: true, whitespace: true, message: t('signin.required') }]}>
            <Input maxLength={100} />
          </Form.Item>
          <Button htmlType="submit" type="primary">
            {t('sources.add')}
          </Button>
        </Form>
        <Loaded query={sources}>
          {(data) =>
            data.sources.length === 0 ? (
              <EmptyState picture="table" title={t('sources.empty')}>
                {t('sources.empty.about')}
              </EmptyState>
            ) : (
              <DataTable<Source>
                rowKey="id"
                dataSource={data.sources}
                pagination={false}
                scroll={{ x: 860 }}
                columns={[
                  {
                    title: t('settings.name'),
                    render: (_, source) => (
                      <>
                        {source.name} {source.revoked_at && <Pill>{t('sources.revoked')}</Pill>}
                        <div className="small muted">{format.dayOf(source.created_at)}</div>
                      </>
                    ),
                  },
                  { title: t('sources.key'), render: (_, source) => (source.revoked_at ? '—' : <><Typography.Text copyable={{ text: source.write_key }} code>{`${source.write_key.slice(0, 14)}…`}</Typography.Text>{source.previous_until && new Date(source.previous_until) > new Date() && <div className="small muted">{t('sources.previous', { when: format.dayOf(source.previous_until) })}</div>}</>) },
                  {
                    title: t('sources.week'),
                    render: (_, source) => (
                      <>
                        {format.count(source.last_week.received)}
                        <div className="small muted">{t('sources.week.detail', { ...source.last_week })}</div>
                      </>
                    ),
                  },
                  { title: t('sources.last'), render: (_, source) => (source.last_at ? <Link to={`/data/debugger?source=${encodeURIComponent(source.name)}`}>{format.ago(source.last_at)}</Link> : t('sources.never')) },
                  {
                    title: <span className="sr">{t('sources.rotate')}</span>,
                    align: 'right',
                    render: (_, source) =>
                      !source.revoked_at && (
                        <span className="row" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
                          <Button size="small" onClick={() => url.set({ source: source.id })}>
                            {t('sources.settings')}
                          </Button>
                          <Button size="small" onClick={() => setRotating(source)}>
                            {t('sources.rotate')}
                          </Button>
                          <Button size="small" onClick={() => revoke(source)}>
                            {t('sources.delete')}
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
      {live && (
        <Panel title={t('sources.try')} about={t('sources.try.about')}>
          <Typography.Paragraph copyable className="mono" style={{ marginBottom: 0, whiteSpace: 'pre-wrap' }}>
            {`curl -X POST ${location.origin}/api/v1/events -H 'Authorization: Bearer ${live.write_key}' -H 'Content-Type: application/json' -d '{"event":"page_view","distinct_id":"visitor-1","properties":{"page":"/tea"}}'`}
          </Typography.Paragraph>
        </Panel>
      )}
      {open && <SettingsDrawer source={open} close={() => url.set({ source: null })} saved={refresh} />}
      <Modal open={rotating !== null} title={t('sources.rotate.title', { name: rotating?.name ?? '' })} okText={t('sources.rotate')} okButtonProps={{ danger: true }} cancelText={t('action.cancel')} onCancel={() => setRotating(null)} onOk={() => (rotating ? rotate(rotating) : undefined)}>
        <p>{t('sources.rotate.about')}</p>
        <Form layout="vertical">
          <Form.Item label={t('sources.rotate.grace')} htmlFor="grace">
            <Select id="grace" value={grace} onChange={setGrace} options={graces.map(([value, name]) => ({ value, label: t(`sources.rotate.${name}`) }))} />
          </Form.Item>
        </Form>
      </Modal>
    </Page>
  )
}
