import type { Layering } from '@/api/types'
import type { Formatter } from '@/format/formatter'
import { useFormat } from '@/format/use-format'
import { useLanguage, type Translate } from '@/i18n/language'
import { Panel } from '@/ui/page'

interface Measure {
  key: string
  label: string
  estimate: { value: number; low: number | null; high: number | null } | null
  show: (value: number | null) => string
  /** The axis of the little picture. */
  from: number
  to: number
  says: string
}

/** Every test of the report: its value, its interval, and in words what it says or that it may say nothing. */
export function Measures({ layering }: { layering: Layering }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const names = new Map(layering.layers.map((layer) => [layer.key, pick(layer.name)]))
  const rows = measuresOf(layering, t, format, (key) => names.get(key) ?? key)
  const { balance } = layering.quality
  return (
    <Panel title={t('quality.measures')} flush>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reachable by keyboard */}
      <div className="scroll-x" style={{ padding: '0 18px 12px' }} role="group" aria-label={t('quality.measures')} tabIndex={0}>
        <table className="plain measures">
          <thead>
            <tr>
              <th scope="col">{t('quality.measure')}</th>
              <th scope="col">{t('quality.value')}</th>
              <th scope="col" style={{ width: 200 }}>
                95%
              </th>
              <th scope="col">{t('quality.says')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.key}>
                <th scope="row" style={{ color: 'var(--text)' }}>
                  {row.label}
                </th>
                <td className="num">
                  <strong>{row.show(row.estimate?.value ?? null)}</strong>
                </td>
                <td>
                  {row.estimate && typeof row.estimate.low === 'number' && typeof row.estimate.high === 'number' ? (
                    <>
                      <IntervalPicture measure={row} estimate={row.estimate} />
                      <div className="small muted num">{t('interval', { low: row.show(row.estimate.low), high: row.show(row.estimate.high) })}</div>
                    </>
                  ) : (
                    <span className="muted">—</span>
                  )}
                </td>
                <td style={{ lineHeight: 1.6 }}>{row.estimate ? row.says : <span className="muted">{t('quality.unmeasured')}</span>}</td>
              </tr>
            ))}
            <tr>
                <th scope="row" style={{ color: 'var(--text)' }}>
                  {t('quality.balance')}
                </th>
                <td className="num">
                  <strong>{format.fixed(balance.entropy, 2)}</strong>
                </td>
                <td className="muted">—</td>
                <td>{t('quality.balance.says', { share: format.percent(balance.largest_share), people: balance.smallest_people })}</td>
            </tr>
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

function IntervalPicture({ measure, estimate }: { measure: Measure; estimate: NonNullable<Measure['estimate']> }) {
  const to = Math.max(measure.to, estimate.high ?? 0)
  const at = (value: number | null) => Math.max(0, Math.min(100, (((value ?? 0) - measure.from) / (to - measure.from)) * 100))
  return (
    <svg viewBox="0 0 100 12" preserveAspectRatio="none" width="180" height="12" aria-hidden="true" style={{ display: 'block' }}>
      <line x1="0" x2="100" y1="6" y2="6" stroke="var(--line)" strokeWidth="2" vectorEffect="non-scaling-stroke" />
      {measure.from < 0 && <line x1={at(0)} x2={at(0)} y1="1" y2="11" stroke="var(--lineStrong)" vectorEffect="non-scaling-stroke" />}
      <line x1={at(estimate.low)} x2={at(estimate.high)} y1="6" y2="6" stroke="var(--accent)" strokeWidth="4" vectorEffect="non-scaling-stroke" opacity="0.55" />
      <line x1={at(estimate.value)} x2={at(estimate.value)} y1="1" y2="11" stroke="var(--accentText)" strokeWidth="3" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

function measuresOf(layering: Layering, t: Translate, format: Formatter, nameOf: (key: string) => string): Measure[] {
  const { homogeneity, heterogeneity, lift, stability } = layering.quality
  const two = (value: number | null) => format.fixed(value, 2)
  const share = (value: number | null) => format.percent(value, 0)
  const silhouette = homogeneity.silhouette?.value ?? 0
  const spreadLow = lift?.spread.low ?? 0
  return [
    {
      key: 'spread',
      label: t('quality.spread'),
      estimate: lift?.spread ?? null,
      show: two,
      from: 0,
      to: 1,
      says: lift ? (spreadLow <= 0 ? t('quality.spread.nothing') : t('quality.spread.says', { day: format.day(lift.calibration_end), value: two(lift.spread.value), times: format.fixed(lift.top_over_average, 1) })) : '',
    },
    {
      key: 'r2',
      label: t('quality.r2'),
      estimate: homogeneity.r2,
      show: share,
      from: 0,
      to: 1,
      says: (homogeneity.r2?.low ?? 0) <= 0 ? t('quality.r2.nothing') : t('quality.r2.says', { value: share(homogeneity.r2?.value ?? null) }),
    },
    {
      key: 'silhouette',
      label: t('quality.silhouette'),
      estimate: homogeneity.silhouette,
      show: two,
      from: -1,
      to: 1,
      says: t(silhouette >= 0.25 ? 'quality.silhouette.good' : silhouette >= 0 ? 'quality.silhouette.middling' : 'quality.silhouette.bad'),
    },
    {
      key: 'distance',
      label: t('quality.distance'),
      estimate: heterogeneity,
      show: two,
      from: 0,
      to: 4,
      says: heterogeneity ? t('quality.distance.says', { layers: ` (${heterogeneity.closest.map(nameOf).join(t('comma'))}) `, value: two(heterogeneity.value) }) : '',
    },
    { key: 'rand', label: t('quality.rand'), estimate: stability.adjusted_rand, show: two, from: 0, to: 1, says: t('quality.rand.says', { value: two(stability.adjusted_rand?.value ?? null) }) },
    ...(stability.previous_as_of !== null && stability.month_to_month !== null
      ? [{ key: 'month', label: t('quality.month'), estimate: { value: stability.month_to_month, low: null, high: null }, show: two, from: 0, to: 1, says: t('quality.month.says', { day: format.day(stability.previous_as_of), value: two(stability.month_to_month) }) }]
      : []),
  ]
}
