import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Typography } from 'antd'
import { http } from '@/api/client'
import type { Source } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'

export function SourcesSection() {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const act = useAct()
  const client = useQueryClient()
  const [form] = Form.useForm<{ name: string }>()
  const sources = useQuery({ queryKey: ['sources'], queryFn: ({ signal }) => http.get<{ sources: Source[] }>('/sources', undefined, signal) })
  const refresh = () => client.invalidateQueries({ queryKey: ['sources'] })
  const live = sources.data?.sources.find((source) => !source.revoked_at)

  function confirm(source: Source, what: 'rotate' | 'delete') {
    void modal.confirm({
      title: t(`sources.${what}.title`, { name: source.name }),
      content: t(`sources.${what}.about`),
      okText: t(`sources.${what}`),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(() => (what === 'rotate' ? http.post(`/sources/${source.id}/rotate`) : http.delete(`/sources/${source.id}`)), t(`sources.${what}.done`))
        await refresh()
      },
    })
  }
  return (
    <>
      <Panel title={t('settings.section.sources')} about={t('sources.about')} flush>
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
                scroll={{ x: 680 }}
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
                  { title: t('sources.key'), render: (_, source) => (source.revoked_at ? '—' : <Typography.Text copyable={{ text: source.write_key }} code>{`${source.write_key.slice(0, 14)}…`}</Typography.Text>) },
                  {
                    title: <span className="sr">{t('sources.rotate')}</span>,
                    align: 'right',
                    render: (_, source) =>
                      !source.revoked_at && (
                        <span className="row" style={{ justifyContent: 'flex-end', flexWrap: 'nowrap' }}>
                          <Button size="small" onClick={() => confirm(source, 'rotate')}>
                            {t('sources.rotate')}
                          </Button>
                          <Button size="small" onClick={() => confirm(source, 'delete')}>
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
    </>
  )
}
