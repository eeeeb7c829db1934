import type { ClvResult } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'

interface Row {
  name: string
  value: number
  error: number | null | undefined
}

export function Parameters({ result }: { result: ClvResult }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { gamma_gamma: money } = result
  return (
    <div className="stack">
      <Panel title={t('clv.parameters')} about={t('clv.likelihood', { value: format.fixed(result.log_likelihood, 1), unit: t(`clv.unit.${result.time_unit}`) })}>
        <ParameterTable label={t('clv.parameters')} rows={Object.entries(result.parameters).map(([name, value]) => ({ name, value, error: result.standard_errors[name] }))} digits={3} />
      </Panel>
      <Panel title={t('clv.money')} about={money ? t('clv.money.about', { n: money.people, correlation: format.fixed(money.correlation, 2) }) : undefined}>
        {money ? (
          <ParameterTable label={t('clv.money')} rows={(['p', 'q', 'v'] as const).map((name) => ({ name, value: money[name], error: money.standard_errors[name] }))} digits={2} />
        ) : (
          <p className="muted">{t('clv.money.none')}</p>
        )}
      </Panel>
    </div>
  )
}

function ParameterTable({ label, rows, digits }: { label: string; rows: Row[]; digits: number }) {
  const { t } = useLanguage()
  const format = useFormat()
  const errors = rows.some((row) => typeof row.error === 'number')
  return (
    <table className="plain" aria-label={label}>
      <thead>
        <tr>
          <th scope="col">{t('clv.parameter')}</th>
          <th scope="col" className="end">
            {t('clv.estimate')}
          </th>
          {errors && (
            <th scope="col" className="end">
              {t('clv.error')}
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name}>
            <td>{row.name}</td>
            <td className="end">
              <strong>{format.fixed(row.value, digits)}</strong>
            </td>
            {errors && <td className="end muted">{typeof row.error === 'number' ? `± ${format.fixed(row.error, digits)}` : '—'}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
