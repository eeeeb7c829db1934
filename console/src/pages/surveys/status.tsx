import type { SurveyInfo } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { Pill } from '@/ui/pill'

const tones = { draft: 'plain', open: 'good', closed: 'warn' } as const

export function SurveyStatus({ survey }: { survey: SurveyInfo }) {
  const { t } = useLanguage()
  return <Pill tone={tones[survey.status]}>{t(`surveys.status.${survey.status}`)}</Pill>
}
