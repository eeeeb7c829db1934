import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Form, Input } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { Navigate, useNavigate, useSearchParams } from 'react-router'
import { Problem, http } from '@/api/client'
import type { Session } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { AppearanceMenu, LanguageMenu } from '@/shell/menus'
import { sessionKey, useSession } from '@/shell/session'
import { ProblemView } from '@/ui/problem'
import { SetUpAccount } from './set-up-account'

interface Credentials {
  email: string
  password: string
}

/** Only addresses of this console: a link cannot send the reader elsewhere. */
function safeNext(next: string | null): string {
  return next?.startsWith('/') && !next.startsWith('//') && !next.startsWith('/signin') ? next : '/'
}

export default function SignInPage() {
  const { t } = useLanguage()
  const { user, workspace } = useSession()
  const [parameters] = useSearchParams()
  const navigate = useNavigate()
  const client = useQueryClient()
  const token = parameters.get('token')
  const next = safeNext(parameters.get('next'))
  const spent = useRef(false)
  const [settingUp, setSettingUp] = useState(false)

  const byLink = useMutation({
    mutationFn: (value: string) => http.post<Session>('/session/link', { token: value }),
    onSuccess: (session) => {
      if (session.user && !session.user.has_password) setSettingUp(true)
      client.setQueryData(sessionKey, session)
    },
  })
  const byPassword = useMutation({
    mutationFn: (values: Credentials) => http.post<Session>('/session', values),
    onSuccess: (session) => client.setQueryData(sessionKey, session),
  })

  useEffect(() => {
    document.title = `${t('signin.title')} · Tilth`
  }, [t])
  const { mutate: spend } = byLink
  useEffect(() => {
    // A link works once: StrictMode's second run must not spend it again.
    if (token && !spent.current) {
      spent.current = true
      spend(token)
    }
  }, [token, spend])

  const arriving = token !== null && (byLink.isPending || byLink.isIdle)
  if (user && !settingUp && !arriving) return <Navigate to={next} replace />

  return (
    <div className="signin">
      <main className="form">
        <div className="stack">
          <div className="row between">
            <span className="brand" style={{ padding: 0 }}>
              <img src="/favicon.svg" alt="" /> Tilth 耕耘
            </span>
            <span>
              <LanguageMenu />
              <AppearanceMenu />
            </span>
          </div>
          {settingUp && user ? (
            <SetUpAccount user={user} done={() => void navigate(next, { replace: true })} />
          ) : arriving ? (
            <p role="status" className="muted">
              {t('signin.link')}
            </p>
          ) : (
            <>
              <h1 style={{ fontSize: 22 }}>{t('signin.lead', { name: workspace.name })}</h1>
              {byLink.error &&
                (byLink.error instanceof Problem && byLink.error.status < 500 && byLink.error.status > 0 ? (
                  <Alert type="warning" showIcon title={t('signin.link.failed')} description={t('signin.link.failed.about')} />
                ) : (
                  <ProblemView error={byLink.error} />
                ))}
              <SignInError error={byPassword.error} />
              <Form<Credentials> layout="vertical" requiredMark={false} onFinish={(values) => byPassword.mutate(values)}>
                <Form.Item name="email" label={t('signin.email')} rules={[{ required: true, message: t('signin.required') }]}>
                  <Input type="email" autoComplete="username" size="large" />
                </Form.Item>
                <Form.Item name="password" label={t('signin.password')} rules={[{ required: true, message: t('signin.required') }]}>
                  <Input.Password autoComplete="current-password" size="large" />
                </Form.Item>
                <Button type="primary" htmlType="submit" size="large" block loading={byPassword.isPending}>
                  {t('signin.submit')}
                </Button>
              </Form>
              <p className="muted small">{t('signin.hint')}</p>
            </>
          )}
        </div>
      </main>
      <aside className="art" aria-label="Tilth">
        <h2>{t('signin.art.title')}</h2>
        <p>{t('signin.art.1')}</p>
        <p>{t('signin.art.2')}</p>
        <p>{t('signin.art.3')}</p>
      </aside>
    </div>
  )
}

function SignInError({ error }: { error: unknown }) {
  const { t } = useLanguage()
  if (!error) return null
  if (error instanceof Problem && error.status === 401) return <Alert type="error" showIcon title={t('signin.failed')} />
  if (error instanceof Problem && error.status === 429) return <Alert type="warning" showIcon title={t('signin.wait', { seconds: error.retryAfter ?? 30 })} />
  return <ProblemView error={error} />
}
