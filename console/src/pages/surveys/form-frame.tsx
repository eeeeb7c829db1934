import { useQuery } from '@tanstack/react-query'
import { Skeleton } from 'antd'
import { http } from '@/api/client'
import type { Survey } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'

/** The server's own page of the form, without scripts and without a way out. */
export function FormFrame({ survey }: { survey: Survey }) {
  const { t } = useLanguage()
  const preview = useQuery({
    queryKey: ['surveys', 'preview', survey],
    queryFn: ({ signal }) => http.post<{ html: string }>('/surveys/preview', survey, undefined, signal),
    placeholderData: (previous) => previous,
    retry: false,
    gcTime: 0,
  })
  return (
    <div className="stack tight" aria-live="polite">
      {preview.error && <ProblemView error={preview.error} />}
      {preview.data ? (
        <iframe title={t('survey.preview.frame')} srcDoc={preview.data.html} sandbox="" style={{ width: '100%', maxWidth: 420, height: 640, border: '1px solid var(--lineStrong)', borderRadius: 12 }} />
      ) : (
        !preview.error && <Skeleton active />
      )}
    </div>
  )
}
