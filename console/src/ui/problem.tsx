import { ReloadOutlined } from '@ant-design/icons'
import { Button, Typography } from 'antd'
import { Problem } from '@/api/client'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'

interface Words {
  title: MessageKey
  safe: MessageKey
  advice: MessageKey
}

function wordsFor(problem: Problem | null): Words {
  const status = problem?.status ?? -1
  if (status === 0) return { title: 'problem.offline.title', safe: 'problem.offline.safe', advice: 'problem.offline.do' }
  if (status === 401) return { title: 'problem.signedout.title', safe: 'problem.nothing_changed', advice: 'problem.signedout.do' }
  if (status === 403) return { title: 'problem.forbidden.title', safe: 'problem.nothing_changed', advice: 'problem.forbidden.do' }
  if (status === 404) return { title: 'problem.notfound.title', safe: 'problem.nothing_changed', advice: 'problem.notfound.do' }
  if (status === 409) return { title: 'problem.conflict.title', safe: 'problem.nothing_changed', advice: 'problem.conflict.do' }
  if (status === 413) return { title: 'problem.toolarge.title', safe: 'problem.nothing_changed', advice: 'problem.toolarge.do' }
  if (status === 429) return { title: 'problem.slowdown.title', safe: 'problem.nothing_changed', advice: 'problem.slowdown.do' }
  if (status === 503 || status === 423) return { title: 'problem.busy.title', safe: 'problem.nothing_changed', advice: 'problem.busy.do' }
  if (status >= 400 && status < 500) return { title: 'problem.invalid.title', safe: 'problem.nothing_changed', advice: 'problem.invalid.do' }
  if (status >= 500) return { title: 'problem.server.title', safe: 'problem.server.safe', advice: 'problem.server.do' }
  return { title: 'problem.page.title', safe: 'problem.page.safe', advice: 'problem.page.do' }
}

/** What happened, what is safe, what to do, and an id to quote. */
export function ProblemView({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useLanguage()
  const problem = error instanceof Problem ? error : null
  const words = wordsFor(problem)
  const detail = problem ? problem.detail : error instanceof Error ? error.message : ''
  return (
    <section className="problem" role="alert">
      <h2>{t(words.title)}</h2>
      {detail && (
        <p>
          {problem?.field && !detail.startsWith(problem.field) && <span className="mono">{problem.field} · </span>}
          {detail}
        </p>
      )}
      {problem && problem.choices.length > 0 && <p className="small muted">{t('problem.choices', { choices: problem.choices.join(' · ') })}</p>}
      <p className="muted">
        {t(words.safe)} {t(words.advice, { seconds: problem?.retryAfter ?? 30 })}
      </p>
      <div className="row">
        {retry && (
          <Button size="small" icon={<ReloadOutlined />} onClick={retry}>
            {t('problem.retry')}
          </Button>
        )}
        {problem?.id && (
          <span className="small muted">
            {t('problem.id')} <Typography.Text copyable code>{problem.id}</Typography.Text>
          </span>
        )}
      </div>
    </section>
  )
}

/** The same in one line, for a message after a button. */
export function problemLine(error: unknown, t: ReturnType<typeof useLanguage>['t']): string {
  const problem = error instanceof Problem ? error : null
  const title = t(wordsFor(problem).title)
  const detail = problem?.detail ?? (error instanceof Error ? error.message : '')
  const id = problem?.id ? ` (${problem.id})` : ''
  return detail ? `${title}${t('colon')}${detail}${id}` : `${title}${id}`
}
