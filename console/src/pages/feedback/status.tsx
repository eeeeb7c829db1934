import type { FeedbackLine } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Pill } from '@/ui/pill'

const tones = { open: 'warn', answered: 'good', closed: 'plain' } as const

export function FeedbackStatus({ status }: { status: FeedbackLine['status'] }) {
  const { t } = useLanguage()
  return <Pill tone={tones[status]}>{t(`feedback.status.${status}`)}</Pill>
}
