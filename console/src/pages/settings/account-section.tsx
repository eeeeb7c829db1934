import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form, Input } from 'antd'
import { http } from '@/api/client'
import { useLanguage } from '@/i18n/language'
import { sessionKey, useUser } from '@/shell/session'
import { Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'

interface Account {
  name: string
  email: string
  password?: string
  current_password?: string
}

export function AccountSection() {
  const { t } = useLanguage()
  const { message } = App.useApp()
  const user = useUser()
  const client = useQueryClient()
  const [form] = Form.useForm<Account>()
  const save = useMutation({
    mutationFn: ({ name, email, password, current_password: current }: Account) =>
      http.post('/account', { name, ...(email ? { email } : {}), ...(password ? { password } : {}), ...(current ? { current_password: current } : {}) }),
    onSuccess: async () => {
      void message.success(t('settings.saved'))
      form.resetFields(['password', 'current_password'])
      await client.invalidateQueries({ queryKey: sessionKey })
    },
  })
  return (
    <Panel title={t('settings.section.account')} about={`${user.name} · ${t(`role.${user.role}`)}`}>
      <Form<Account> form={form} className="narrow" layout="vertical" requiredMark={false} initialValues={{ name: user.name, email: user.email ?? '' }} onFinish={(values) => save.mutate(values)}>
        <Form.Item name="name" label={t('signin.name')} rules={[{ required: true, whitespace: true, message: t('signin.required') }]}>
          <Input autoComplete="name" maxLength={100} />
        </Form.Item>
        <Form.Item name="email" label={t('signin.email')} rules={[{ type: 'email', message: t('signin.email.rule') }]}>
          <Input type="email" autoComplete="username" />
        </Form.Item>
        <Form.Item name="password" label={user.has_password ? t('account.new') : t('signin.newpassword')} extra={t('account.new.hint')} rules={[{ min: 8, message: t('signin.password.rule') }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        {user.has_password && (
          <Form.Item name="current_password" label={t('account.current')} extra={t('account.current.hint')}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
        )}
        {save.error && <ProblemView error={save.error} />}
        <Button type="primary" htmlType="submit" loading={save.isPending} style={{ marginTop: 8 }}>
          {t('action.save')}
        </Button>
      </Form>
    </Panel>
  )
}
