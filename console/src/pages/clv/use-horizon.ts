import type { ClvResult } from '@/api/types'
import { useLanguage } from '@/i18n/language'

/** “13 weeks” */
export function useHorizon(result: Pick<ClvResult, 'horizon' | 'time_unit'>): string {
  const { t } = useLanguage()
  return t('clv.units', { n: Math.round(result.horizon * 10) / 10, unit: t(`clv.unit.${result.time_unit}`) })
}
