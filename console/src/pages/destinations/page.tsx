import { DeleteOutlined, EditOutlined, PlusOutlined, SendOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert as Note, App, Button, Drawer, Form, Input, Select, Switch } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import type { Delivery, DeliveryList, Destination, DestinationList } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'

const KINDS = ['email', 'webhook', 'wecom', 'dingtalk', 'feishu', 'slack'] as const
const SIGNED = ['webhook', 'dingtalk', 'feishu']

export default function DestinationsPage() {
  const { t } = useLanguage()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const { modal, message } = App.useApp()
  const query = useQuery({ queryKey: ['destinations'], queryFn: ({ signal }) => http.get<DestinationList>('/destinations', undefined, signal) })
  const fresh = () => client.invalidateQueries({ queryKey: ['destinations'] })
  const edited = url.get('edit')
  const make = can('admin') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => url.set({ edit: '+' })}>
      {t('destinations.new')}
    </Button>
  )
  function test(one: Destination) {
    void act(async () => {
      const said = await http.post<{ sent: boolean; reason: string }>(`/destinations/${one.id}/test`)
      if (said.sent) void message.success(t('destinations.tested'))
      else void message.error(said.reason, 8)
    })
  }
  function remove(one: Destination) {
    void modal.confirm({
      title: t('analysis.remove.title', { title: one.name }),
      content: t('destinations.remove.about'),
      okText: t('analysis.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.delete(`/destinations/${one.id}`)
          await fresh()
        }, t('analysis.removed')),
    })
  }
  return (
    <Page title={t('destinations.title')} about={t('destinations.about')} actions={make}>
      <Loaded query={query}>
        {(data) => (
          <>
            {!data.mail && <Note type="info" showIcon title={t('destinations.no_mail')} />}
            {data.destinations.length === 0 ? (
              <Panel>
                <EmptyState picture="people" title={t('destinations.none')} action={make}>
                  {t('destinations.none.about')}
                </EmptyState>
              </Panel>
            ) : (
              <Panel label={t('destinations.title')} flush>
                <DataTable<Destination>
                  size="small"
                  rowKey="id"
                  dataSource={data.destinations}
                  pagination={false}
                  scroll={{ x: 640 }}
                  columns={[
                    { title: t('metrics.name'), render: (_, one) => <span>{one.name} {!one.enabled && <Pill>{t('alerts.off')}</Pill>}</span> },
                    { title: t('destinations.kind'), render: (_, one) => t(`destinations.kind.${one.kind}` as MessageKey) },
                    { title: t('destinations.shown'), dataIndex: 'shown' },
                    {
                      title: '',
                      align: 'right',
                      render: (_, one) =>
                        can('admin') && (
                          <span className="row" style={{ gap: 4, flexWrap: 'nowrap', justifyContent: 'flex-end' }}>
                            <Button size="small" icon={<SendOutlined />} onClick={() => test(one)}>
                              {t('destinations.test')}
                            </Button>
                            <Button size="small" type="text" icon={<EditOutlined />} aria-label={`${t('destinations.change')} ${one.name}`} onClick={() => url.set({ edit: one.id })} />
                            <Button size="small" type="text" icon={<DeleteOutlined />} aria-label={t('analysis.remove.title', { title: one.name })} onClick={() => remove(one)} />
                          </span>
                        ),
                    },
                  ]}
                />
              </Panel>
            )}
            {edited !== '' && can('admin') && (
              <Editor
                key={edited}
                held={data.destinations.find((one) => String(one.id) === edited)}
                close={() => url.set({ edit: null })}
                done={async () => {
                  await fresh()
                  url.set({ edit: null })
                }}
              />
            )}
          </>
        )}
      </Loaded>
      <Deliveries />
    </Page>
  )
}

function Editor({ held, close, done }: { held: Destination | undefined; close: () => void; done: () => Promise<void> }) {
  const { t } = useLanguage()
  const act = useAct()
  const [value, setValue] = useState({ name: held?.name ?? '', kind: held?.kind ?? 'email', address: '', secret: '', enabled: held?.enabled ?? true })
  const mail = value.kind === 'email'
  return (
    <Drawer
      open
      size={480}
      title={held ? t('destinations.change') : t('destinations.new')}
      onClose={close}
      footer={
        <div className="row">
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button
            type="primary"
            disabled={value.name.trim() === '' || (!held && value.address.trim() === '')}
            onClick={() =>
              void act(async () => {
                if (held) await http.put(`/destinations/${held.id}`, value)
                else await http.post('/destinations', value)
                await done()
              }, t('destinations.saved'))
            }
          >
            {t('action.save')}
          </Button>
        </div>
      }
    >
      <Form layout="vertical">
        <Form.Item label={t('metrics.name')}>
          <Input aria-label={t('metrics.name')} maxLength={120} value={value.name} onChange={(event) => setValue({ ...value, name: event.target.value })} />
        </Form.Item>
        <Form.Item label={t('destinations.kind')}>
          <Select aria-label={t('destinations.kind')} disabled={held !== undefined} value={value.kind} options={KINDS.map((one) => ({ value: one, label: t(`destinations.kind.${one}`) }))} onChange={(kind: string) => setValue({ ...value, kind })} />
        </Form.Item>
        <Form.Item label={mail ? t('destinations.addresses') : t('destinations.url')} extra={held && t('destinations.kept')}>
          <Input aria-label={mail ? t('destinations.addresses') : t('destinations.url')} placeholder={held?.shown ?? (mail ? 'a@example.com, b@example.com' : 'https://')} maxLength={2000} value={value.address} onChange={(event) => setValue({ ...value, address: event.target.value })} />
        </Form.Item>
        {SIGNED.includes(value.kind) && (
          <Form.Item label={t('destinations.secret')} extra={held?.has_secret && t('destinations.kept')}>
            <Input.Password aria-label={t('destinations.secret')} maxLength={500} value={value.secret} onChange={(event) => setValue({ ...value, secret: event.target.value })} />
          </Form.Item>
        )}
        <Form.Item label={t('alerts.enabled')}>
          <Switch aria-label={t('alerts.enabled')} checked={value.enabled} onChange={(enabled) => setValue({ ...value, enabled })} />
        </Form.Item>
      </Form>
    </Drawer>
  )
}

function Deliveries() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['deliveries'], queryFn: ({ signal }) => http.get<DeliveryList>('/deliveries', undefined, signal), refetchInterval: 15_000 })
  return (
    <Loaded query={query}>
      {(data) =>
        data.deliveries.length === 0 ? null : (
          <Panel title={t('destinations.deliveries')} flush>
            <DataTable<Delivery>
              size="small"
              rowKey="id"
              dataSource={data.deliveries}
              pagination={data.deliveries.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
              scroll={{ x: 720 }}
              columns={[
                { title: t('alerts.state'), render: (_, one) => <Pill tone={one.state === 'sent' ? 'good' : one.state === 'dead' ? 'bad' : 'info'}>{t(`destinations.state.${one.state}` as MessageKey)}</Pill> },
                { title: t('destinations.message'), dataIndex: 'title' },
                { title: t('destinations.attempts'), align: 'right', dataIndex: 'attempts' },
                { title: t('destinations.error'), render: (_, one) => <span className="small">{one.error}</span> },
                { title: t('analysis.saved.when'), render: (_, one) => <span title={format.instantFull(one.created_at)}>{format.ago(one.created_at)}</span> },
                {
                  title: '',
                  render: (_, one) =>
                    one.state === 'dead' &&
                    can('operator') && (
                      <Button
                        size="small"
                        onClick={() =>
                          void act(async () => {
                            await http.post(`/deliveries/${one.id}/retry`)
                            await client.invalidateQueries({ queryKey: ['deliveries'] })
                          })
                        }
                      >
                        {t('destinations.retry')}
                      </Button>
                    ),
                },
              ]}
            />
          </Panel>
        )
      }
    </Loaded>
  )
}
