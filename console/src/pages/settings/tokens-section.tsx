import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import type { CreatedToken, Role, Token } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'
import { ShownOnce } from './shown-once'
import { roleNames } from './team-section'

export function TokensSection() {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const act = useAct()
  const client = useQueryClient()
  const [making, setMaking] = useState(false)
  const [made, setMade] = useState<CreatedToken | null>(null)
  const tokens = useQuery({ queryKey: ['tokens'], queryFn: ({ signal }) => http.get<{ tokens: Token[] }>('/tokens', undefined, signal) })
  const refresh = () => client.invalidateQueries({ queryKey: ['tokens'] })
  const add = (
    <Button type="primary" size="small" onClick={() => setMaking(true)}>
      {t('tokens.add')}
    </Button>
  )

  function revoke(token: Token) {
    void modal.confirm({
      title: t('tokens.revoke.title', { name: token.name }),
      content: t('tokens.revoke.about'),
      okText: t('tokens.revoke'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(() => http.delete(`/tokens/${token.id}`), t('tokens.revoke.done'))
        await refresh()
      },
    })
  }
  return (
    <>
      {made && <ShownOnce title={t('tokens.made', { name: made.name })} about={t('tokens.made.about')} secret={made.token} />}
      <Panel title={t('settings.section.tokens')} about={t('tokens.about')} flush extra={add}>
        <Loaded query={tokens}>
          {(data) =>
            data.tokens.length === 0 ? (
              <EmptyState picture="table" title={t('tokens.empty')}>
                {t('tokens.empty.about')}
              </EmptyState>
            ) : (
              <DataTable<Token>
                rowKey="id"
                dataSource={data.tokens}
                pagination={false}
                scroll={{ x: 620 }}
                columns={[
                  {
                    title: t('settings.name'),
                    render: (_, token) => (
                      <>
                        {token.name}
                        {token.hint && <div className="small muted mono">…{token.hint}</div>}
                      </>
                    ),
                  },
                  { title: t('team.role'), render: (_, token) => t(`role.${token.role}`) },
                  { title: t('tokens.created'), render: (_, token) => <span title={format.instantFull(token.created_at)}>{[format.dayOf(token.created_at), token.created_by].filter(Boolean).join(' · ')}</span> },
                  { title: t('tokens.used'), render: (_, token) => (token.last_used_at ? <span title={format.instantFull(token.last_used_at)}>{format.ago(token.last_used_at)}</span> : t('tokens.never')) },
                  {
                    title: <span className="sr">{t('tokens.revoke')}</span>,
                    align: 'right',
                    render: (_, token) => (
                      <Button size="small" onClick={() => revoke(token)}>
                        {t('tokens.revoke')}
                      </Button>
                    ),
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Panel>
      {making && (
        <NewToken
          close={() => setMaking(false)}
          done={(token) => {
            setMaking(false)
            setMade(token)
            void refresh()
          }}
        />
      )}
    </>
  )
}

interface Wanted {
  name: string
  role: Role
}

function NewToken({ close, done }: { close: () => void; done: (token: CreatedToken) => void }) {
  const { t } = useLanguage()
  const [form] = Form.useForm<Wanted>()
  const make = useMutation({ mutationFn: (wanted: Wanted) => http.post<CreatedToken>('/tokens', wanted), onSuccess: done })
  return (
    <Modal open title={t('tokens.add')} onCancel={close} okText={t('tokens.add')} cancelText={t('action.cancel')} confirmLoading={make.isPending} onOk={() => form.submit()}>
      {make.error && <ProblemView error={make.error} />}
      <Form<Wanted> form={form} layout="vertical" requiredMark={false} initialValues={{ role: 'viewer' }} onFinish={(wanted) => make.mutate(wanted)}>
        <Form.Item name="name" label={t('settings.name')} rules={[{ required: true, whitespace: true, message: t('signin.required') }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="role" label={t('team.role')}>
          <Select options={roleNames.map((role) => ({ value: role, label: `${t(`role.${role}`)} · ${t(`team.role.${role}.about`)}` }))} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
