import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Select, Switch, Typography } from 'antd'
import { http } from '@/api/client'
import type { Connector } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'
import { RulesDrawer } from './rules-drawer'

const kinds = ['shopify', 'woocommerce', 'youzan', 'generic'] as const
interface Fields {
  source: string
  kind: (typeof kinds)[number]
  secret?: string
}

/** Shop systems that post their orders to us. */
export function WebhooksTab() {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const [form] = Form.useForm<Fields>()
  const kind = Form.useWatch('kind', form)
  const query = useQuery({ queryKey: ['connectors'], queryFn: ({ signal }) => http.get<{ connectors: Connector[] }>('/connectors', undefined, signal), refetchInterval: 15_000 })
  const refresh = () => client.invalidateQueries({ queryKey: ['connectors'] })
  const open = query.data?.connectors.find((one) => one.source === url.get('rules'))

  function remove(one: Connector) {
    void modal.confirm({
      title: t('connectors.remove.title', { name: one.source }),
      content: t('connectors.remove.about'),
      okText: t('connectors.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(() => http.delete(`/connectors/${encodeURIComponent(one.source)}`), t('connectors.removed'))
        await refresh()
      },
    })
  }
  async function create(fields: Fields) {
    const well = await act(() => http.post('/connectors', fields), t('connectors.created'))
    if (!well) return
    form.resetFields()
    await refresh()
  }
  return (
    <div className="stack">
      <p className="muted" style={{ margin: 0 }}>{t('connectors.about')}</p>
      <Panel title={t('connectors.add')}>
        <Form form={form} layout="vertical" requiredMark={false} initialValues={{ kind: 'shopify' }} onFinish={(fields) => void create(fields)} style={{ maxWidth: 480 }}>
          <Form.Item name="kind" label={t('connectors.kind')}>
            <Select options={kinds.map((value) => ({ value, label: t(`connectors.kind.${value}`) }))} />
          </Form.Item>
          <Form.Item
            name="source"
            label={t('connectors.name')}
            rules={[
              { required: true, message: t('signin.required') },
              { pattern: /^[A-Za-z0-9_.-]+$/, message: t('connectors.name.rule') },
            ]}
          >
            <Input maxLength={100} />
          </Form.Item>
          <Form.Item name="secret" label={t('connectors.secret')} extra={kind === 'youzan' ? t('connectors.secret.youzan') : t('connectors.secret.hint')} rules={[{ required: kind !== 'generic', message: t('signin.required') }]}>
            <Input.Password autoComplete="off" maxLength={500} />
          </Form.Item>
          <Button type="primary" htmlType="submit">
            {t('connectors.add')}
          </Button>
        </Form>
      </Panel>
      <Panel label={t('connectors.tab.webhooks')} flush>
        <Loaded query={query}>
          {(data) =>
            data.connectors.length === 0 ? (
              <EmptyState picture="files" title={t('connectors.empty')}>
                {t('connectors.empty.about')}
              </EmptyState>
            ) : (
              <DataTable<Connector>
                rowKey="source"
                dataSource={data.connectors}
                pagination={false}
                scroll={{ x: 860 }}
                columns={[
                  {
                    title: t('connectors.name'),
                    render: (_, one) => (
                      <>
                        {one.source}
                        <div className="small muted">{t(`connectors.kind.${one.kind}`)}</div>
                      </>
                    ),
                  },
                  {
                    title: t('connectors.address'),
                    render: (_, one) => (
                      <Typography.Text copyable={{ text: `${location.origin}${one.address}` }} code>
                        {one.address}
                      </Typography.Text>
                    ),
                  },
                  {
                    title: t('connectors.secret'),
                    render: (_, one) => (
                      <Typography.Text copyable={{ text: one.secret }} code>
                        {`${one.secret.slice(0, 4)}…`}
                      </Typography.Text>
                    ),
                  },
                  { title: t('connectors.last'), render: (_, one) => (one.last_at ? format.ago(one.last_at) : t('connectors.never')) },
                  {
                    title: <span className="sr">{t('connectors.rules')}</span>,
                    align: 'right',
                    render: (_, one) => (
                      <span className="row" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
                        <Switch
                          size="small"
                          checked={one.enabled}
                          aria-label={t('connectors.on', { name: one.source })}
                          onChange={(enabled) =>
                            void act(async () => {
                              await http.patch(`/connectors/${encodeURIComponent(one.source)}`, { enabled })
                              await refresh()
                            })
                          }
                        />
                        <Button size="small" onClick={() => url.set({ rules: one.source })}>
                          {t('connectors.rules')}
                        </Button>
                        <Button size="small" onClick={() => remove(one)}>
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
      {open && <RulesDrawer key={open.source} connector={open} close={() => url.set({ rules: null })} saved={refresh} />}
    </div>
  )
}
