import { Alert } from 'antd'
import type { Notice } from '@/api/types'
import { useLanguage } from '@/i18n/language'

function typeOf(severity: string): 'info' | 'warning' | 'error' {
  if (severity === 'critical') return 'error'
  return severity === 'warning' ? 'warning' : 'info'
}

/** What the reader should know, as the server says it. */
export function Notices({ notices }: { notices: Notice[] }) {
  const { pick } = useLanguage()
  return (
    <div className="stack tight">
      {notices.map((notice) => (
        <Alert key={`${notice.key} ${notice.text.en}`} type={typeOf(notice.severity)} showIcon title={pick(notice.text)} />
      ))}
    </div>
  )
}
