import { Button, DatePicker } from 'antd'
import dayjs from 'dayjs'
import { useLanguage } from '@/i18n/language'
import { durationWords } from '../words'

const LASTS = ['7d', '14d', '30d', '90d', '180d', '365d', '730d'] as const

/** So many last days, or days from and to, both included; an end left out is open. */
export function RangeEditor({ value, onChange }: { value: unknown; onChange: (value: unknown) => void }) {
  const { t } = useLanguage()
  const { last, from, to } = (typeof value === 'object' && value !== null ? value : {}) as { last?: string; from?: string; to?: string }
  const write = (part: { from?: string | undefined; to?: string | undefined }) => {
    const next = Object.fromEntries(Object.entries({ from, to, ...part }).filter(([, day]) => day !== undefined))
    onChange(Object.keys(next).length > 0 ? next : undefined)
  }
  return (
    <div className="stack tight" style={{ maxWidth: 340 }}>
      <div className="row" style={{ gap: 6 }}>
        {LASTS.map((one) => (
          <Button key={one} size="small" type={last === one ? 'primary' : 'default'} onClick={() => onChange({ last: one })}>
            {t('analysis.range.last', { length: durationWords(one, t) })}
          </Button>
        ))}
        <Button size="small" type={value === undefined ? 'primary' : 'default'} onClick={() => onChange(undefined)}>
          {t('analysis.range.all')}
        </Button>
      </div>
      <div className="row" style={{ gap: 6 }}>
        <DatePicker aria-label={t('analysis.range.from')} placeholder={t('analysis.range.from')} value={from === undefined ? null : dayjs(from)} onChange={(day) => write({ from: day ? day.format('YYYY-MM-DD') : undefined })} />
        <DatePicker aria-label={t('analysis.range.to')} placeholder={t('analysis.range.to')} value={to === undefined ? null : dayjs(to)} onChange={(day) => write({ to: day ? day.format('YYYY-MM-DD') : undefined })} />
      </div>
    </div>
  )
}
