import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input, Modal, Select } from 'antd'
import { useState } from 'react'
import { http } from '@/api/client'
import type { Invitation, Role, User } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useUser } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { Loaded } from '@/ui/loaded'
import { Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'
import { ShownOnce } from './shown-once'

export const roleNames: Role[] = ['viewer', 'analyst', 'operator', 'admin']

export function TeamSection() {
  const { t } = useLanguage()
  const format = useFormat()
  const { modal } = App.useApp()
  const me = useUser()
  const act = useAct()
  const client = useQueryClient()
  const [inviting, setInviting] = useState(false)
  const [invited, setInvited] = useState<Invitation | null>(null)
  const users = useQuery({ queryKey: ['users'], queryFn: ({ signal }) => http.get<{ users: User[] }>('/users', undefined, signal) })
  const refresh = () => client.invalidateQueries({ queryKey: ['users'] })

  function remove(user: User) {
    void modal.confirm({
      title: t('team.remove.title', { name: user.name }),
      content: t('team.remove.about'),
      okText: t('team.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: async () => {
        await act(() => http.delete(`/users/${user.id}`), t('team.remove.done', { name: user.name }))
        await refresh()
      },
    })
  }
  return (
    <>
      {invited && <ShownOnce title={t('team.invited', { name: invited.user.name })} about={t('team.invited.about')} secret={invited.link.startsWith('/') ? `${location.origin}${invited.link}` : invited.link} />}
      <Panel
        title={t('settings.section.team')}
        about={t('team.about')}
        flush
        extra={
          <Button type="primary" size="small" onClick={() => setInviting(true)}>
            {t('team.add')}
          </Button>
        }
      >
        <Loaded query={users}>
          {(data) => (
            <DataTable<User>
              rowKey="id"
              dataSource={data.users}
              pagination={false}
              scroll={{ x: 620 }}
              columns={[
                {
                  title: t('settings.name'),
                  render: (_, user) => (
                    <>
                      {user.name} {user.id === me.id && <span className="muted small">{t('team.you')}</span>}
                      <div className="small muted">{user.email ?? '—'}</div>
                    </>
                  ),
                },
                {
                  title: t('team.role'),
                  width: 170,
                  render: (_, user) =>
                    user.id === me.id ? (
                      t(`role.${user.role}`)
                    ) : (
                      <Select<Role>
                        style={{ width: 150 }}
                        aria-label={t('team.role.of', { name: user.name })}
                        value={user.role}
                        options={roleNames.map((role) => ({ value: role, label: t(`role.${role}`) }))}
                        onChange={(role) =>
                          void act(async () => {
                            await http.patch(`/users/${user.id}`, { role })
                            await refresh()
                          }, t('settings.saved'))
                        }
                      />
                    ),
                },
                { title: t('team.joined'), render: (_, user) => (!user.has_password ? <span className="muted">{t('team.pending')}</span> : <span title={format.instantFull(user.created_at)}>{format.dayOf(user.created_at)}</span>) },
                {
                  title: <span className="sr">{t('team.remove')}</span>,
                  align: 'right',
                  render: (_, user) =>
                    user.id !== me.id && (
                      <Button size="small" onClick={() => remove(user)}>
                        {t('team.remove')}
                      </Button>
                    ),
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      {inviting && (
        <Invite
          close={() => setInviting(false)}
          done={(invitation) => {
            setInviting(false)
            setInvited(invitation)
            void refresh()
          }}
        />
      )}
    </>
  )
}

interface Person {
  name: string
  email: string
  role: Role
}

function Invite({ close, done }: { close: () => void; done: (invitation: Invitation) => void }) {
  const { t } = useLanguage()
  const [form] = Form.useForm<Person>()
  const invite = useMutation({ mutationFn: (person: Person) => http.post<Invitation>('/users', person), onSuccess: done })
  return (
    <Modal open title={t('team.add')} onCancel={close} okText={t('team.add')} cancelText={t('action.cancel')} confirmLoading={invite.isPending} onOk={() => form.submit()}>
      {invite.error && <ProblemView error={invite.error} />}
      <Form<Person> form={form} layout="vertical" requiredMark={false} initialValues={{ role: 'analyst' }} onFinish={(person) => invite.mutate(person)}>
        <Form.Item name="name" label={t('settings.name')} rules={[{ required: true, whitespace: true, message: t('signin.required') }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="email" label={t('signin.email')} rules={[{ required: true, type: 'email', message: t('signin.email.rule') }]}>
          <Input type="email" />
        </Form.Item>
        <Form.Item name="role" label={t('team.role')}>
          <Select options={roleNames.map((role) => ({ value: role, label: `${t(`role.${role}`)} · ${t(`team.role.${role}.about`)}` }))} />
        </Form.Item>
      </Form>
    </Modal>
  )
}
