import { Select, Switch } from 'antd'
import { useMemo } from 'react'
import type { ImportKind, ImportOptions, ImportRule } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { currencies, timezones } from '@/format/places'
import { wordOr } from '../words'

interface ReadingOptionsProps {
  kind: ImportKind
  level: string
  options: ImportOptions
  change: (options: ImportOptions) => void
}

export function ReadingOptions({ kind, level, options, change }: ReadingOptionsProps) {
  const { t, language } = useLanguage()
  const zones = useMemo(() => timezones(options.timezone), [options.timezone])
  const money = useMemo(() => currencies(language), [language])
  return (
    <div className="formgrid">
      <div className="labelled">
        <label htmlFor="option-timezone">{t('imports.option.timezone')}</label>
        <Select id="option-timezone" showSearch value={options.timezone} options={zones} onChange={(timezone) => change({ ...options, timezone })} />
      </div>
      {kind === 'orders' && (
        <div className="labelled">
          <label htmlFor="option-currency">{t('imports.option.currency')}</label>
          <Select id="option-currency" showSearch={{ optionFilterProp: 'label' }} value={options.currency} options={money} onChange={(currency) => change({ ...options, currency })} />
        </div>
      )}
      <div className="labelled">
        <label htmlFor="option-date-order">{t('imports.option.date_order')}</label>
        <Select
          id="option-date-order"
          value={options.date_order ?? ''}
          options={[{ value: '', label: t('imports.option.date_order.auto') }, ...(['ymd', 'dmy', 'mdy'] as const).map((order) => ({ value: order, label: t(`imports.option.date_order.${order}`) }))]}
          onChange={(order) => change({ ...options, date_order: order === '' ? null : order })}
        />
      </div>
      {kind === 'orders' && level === 'line' && (
        <div className="labelled">
          <label htmlFor="option-amount-per">{t('imports.option.amount_per')}</label>
          <Select
            id="option-amount-per"
            value={options.amount_per}
            options={(['row', 'order'] as const).map((per) => ({ value: per, label: t(`imports.option.amount_per.${per}`) }))}
            onChange={(per) => change({ ...options, amount_per: per })}
          />
        </div>
      )}
    </div>
  )
}

export function RuleList({ rules, change }: { rules: ImportRule[]; change: (rules: ImportRule[]) => void }) {
  const { t, pick } = useLanguage()
  return (
    <ul className="lines">
      {rules.map((rule) => (
        <li key={rule.key}>
          <Switch size="small" style={{ marginTop: 3 }} checked={rule.on} aria-label={pick(rule.description)} onChange={(on) => change(rules.map((one) => (one.key === rule.key ? { ...one, on } : one)))} />
          <div className="fill">
            <div>{pick(rule.description)}</div>
            <div className="small muted">
              {t('imports.rule.rows', { then: rule.on ? wordOr(t, `imports.rule.then.${rule.then}`, rule.then) : t('imports.rule.then.keep'), n: rule.rows_in_sample })}
            </div>
          </div>
        </li>
      ))}
    </ul>
  )
}
