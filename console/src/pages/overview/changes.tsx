import type { Change } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Panel } from '@/ui/page'

export function ChangesPanel({ changes }: { changes: Change[] }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const first = changes[0]

  function show(change: Change, value: number | null): string {
    if (value === null) return '—'
    if (change.unit === 'money') return format.money(value)
    if (change.unit === 'share') return format.percent(value)
    return format.count(value)
  }
  /** Less refunded is good news; of everything else, more is. */
  const better = (change: Change, by: number) => (change.key === 'refunds' ? by < 0 : by > 0)

  function difference(change: Change): { text: string; good: boolean | null } {
    if (change.now === null || change.before === null) return { text: '—', good: null }
    const by = change.now - change.before
    if (by === 0) return { text: t('overview.changes.same'), good: null }
    const sign = by > 0 ? '+' : '−'
    if (change.unit === 'share') return { text: `${sign}${t('overview.changes.points', { n: format.decimal(Math.abs(by) * 100, 1) })}`, good: better(change, by) }
    if (change.before === 0) return { text: `${sign}${show(change, Math.abs(by))}`, good: better(change, by) }
    return { text: `${sign}${format.percent(Math.abs(by) / Math.abs(change.before))}`, good: better(change, by) }
  }

  return (
    <Panel title={t('overview.changes')} about={first && t('overview.changes.about', { since: format.day(first.since), until: format.day(first.until) })}>
      {changes.length === 0 ? (
        <p className="muted">{t('overview.changes.none')}</p>
      ) : (
        <ul className="lines">
          {changes.map((change) => {
            const { text, good } = difference(change)
            return (
              <li key={change.key}>
                <div className="fill">
                  <div>{pick(change.title)}</div>
                  <div className="small muted">
                    {t('overview.changes.before', { value: show(change, change.before) })}
                    {change.unit === 'share' && typeof change.numerator === 'number' && typeof change.denominator === 'number' && ` · ${change.key === 'refunds' ? `${format.money(change.numerator)} / ${format.money(change.denominator)}` : format.ratio(change.numerator, change.denominator)}`}
                  </div>
                </div>
                <div style={{ textAlign: 'end' }} className="num">
                  <div style={{ fontWeight: 600 }}>{show(change, change.now)}</div>
                  <div className={good === null ? 'small muted' : good ? 'small good' : 'small bad'}>{text}</div>
                </div>
              </li>
            )
          })}
        </ul>
      )}
    </Panel>
  )
}
