import type { ClvResult } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Stats } from '@/ui/stats'
import { useHorizon } from './use-horizon'

export function Headline({ result }: { result: ClvResult }) {
  const { t } = useLanguage()
  const format = useFormat()
  const horizon = useHorizon(result)
  const { holdout } = result
  return (
    <Stats
      label={t('clv.stats')}
      items={[
        { key: 'people', label: t('clv.people'), value: format.count(result.people), detail: t('clv.people.detail', { n: result.repeat_people }) },
        { key: 'expected', label: t('clv.expected'), value: format.decimal(result.expected_purchases, 0), detail: t('clv.expected.detail', { horizon }) },
        { key: 'value', label: t('clv.value'), value: format.money(result.expected_value), detail: t('clv.expected.detail', { horizon }) },
        ...(holdout
          ? [
              { key: 'total', label: t('clv.total'), value: `${format.count(holdout.actual_total)} / ${format.decimal(holdout.expected_total, 0)}`, detail: t('clv.covered', { share: format.percent(holdout.covered, 0), level: format.percent(holdout.level, 0) }) },
              { key: 'mae', label: t('clv.mae'), value: format.fixed(holdout.mae, 3), detail: t('clv.mae.detail', { naive: format.fixed(holdout.naive_mae, 3) }) },
            ]
          : []),
      ]}
    />
  )
}
