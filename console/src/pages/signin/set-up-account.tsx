import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { http } from '@/api/client'
import type { SessionUser } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { sessionKey } from '@/shell/session'
import { ProblemView } from '@/ui/problem'

interface Account {
  name: string
  email: string
  password: string
}

/** After the first one-time link: a name, an e-mail and a password of one's own. */
export function SetUpAccount({ user, done }: { user: SessionUser; done: () => void }) {
  const { t } = useLanguage()
  const client = useQueryClient()
  const save = useMutation({
    mutationFn: (values: Account) => http.post('/account', values),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: sessionKey })
      done()
    },
  })
  return (
    <>
      <div>
        <h1 style={{ fontSize: 22 }}>{t('signin.setup.title')}</h1>
        <p className="muted" style={{ marginTop: 4 }}>
          {t('signin.setup.about')}
        </p>
      </div>
      {save.error && <ProblemView error={save.error} />}
      <Form<Account> layout="vertical" requiredMark={false} initialValues={{ name: user.name, email: user.email ?? '' }} onFinish={(values) => save.mutate(values)}>
        <Form.Item name="name" label={t('signin.name')} rules={[{ required: true, message: t('signin.required') }]}>
          <Input autoComplete="name" size="large" />
        </Form.Item>
        <Form.Item name="email" label={t('signin.email')} rules={[{ required: true, type: 'email', message: t('signin.email.rule') }]}>
          <Input type="email" autoComplete="username" size="large" />
        </Form.Item>
        <Form.Item name="password" label={t('signin.newpassword')} extra={t('signin.password.rule')} rules={[{ required: true, min: 8, message: t('signin.password.rule') }]}>
          <Input.Password autoComplete="new-password" size="large" />
        </Form.Item>
        <div className="stack tight">
          <Button type="primary" htmlType="submit" size="large" block loading={save.isPending}>
            {t('signin.setup.submit')}
          </Button>
          <Button type="text" block onClick={done}>
            {t('signin.setup.later')}
          </Button>
        </div>
      </Form>
    </>
  )
}
