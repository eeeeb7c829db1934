import { Progress } from 'antd'
import type { Layering } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { Notices } from '@/ui/notices'
import { Panel } from '@/ui/page'
import { FeatureChart } from './feature-chart'
import { LiftChart } from './lift-chart'
import { Measures } from './measures'

export function QualityTab({ layering }: { layering: Layering }) {
  const { t } = useLanguage()
  const { quality } = layering
  const features = quality.heterogeneity?.features ?? []
  return (
    <div className="stack">
      <div className="halves">
        <Score layering={layering} />
        <Panel title={t('quality.warnings')}>
          {quality.warnings.length === 0 ? (
            <p className="muted">{t('quality.warnings.none')}</p>
          ) : (
            <Notices notices={quality.warnings} />
          )}
        </Panel>
      </div>
      <Measures layering={layering} />
      {quality.lift && <LiftChart layering={layering} lift={quality.lift} />}
      {features.length > 0 && <FeatureChart features={features} />}
    </div>
  )
}

function Score({ layering }: { layering: Layering }) {
  const { t, pick } = useLanguage()
  const format = useFormat()
  const { quality } = layering
  const parts = quality.parts
  return (
    <Panel title={t('quality.score')} about={t('quality.score.about')}>
      <div className="stack">
        <div className="row" style={{ gap: 20, flexWrap: 'nowrap', alignItems: 'center' }}>
          <div className="num" style={{ fontSize: 44, fontWeight: 650, lineHeight: 1.1 }}>
            {quality.score}
            <span className="muted" style={{ fontSize: 16, fontWeight: 400 }}>
              {' '}
              / 100
            </span>
          </div>
          <p style={{ fontSize: 15, lineHeight: 1.6 }}>{pick(quality.verdict)}</p>
        </div>
        <dl className="facts" aria-label={t('quality.parts')}>
            {(['lift', 'homogeneity', 'stability', 'balance'] as const).map((part) => (
              <div key={part} style={{ display: 'contents' }}>
                <dt>{t(`quality.part.${part}`)}</dt>
                <dd style={{ display: 'grid', gridTemplateColumns: '1fr 44px', gap: 10, alignItems: 'center' }}>
                  <Progress percent={(parts[part] ?? 0) * 100} showInfo={false} size="small" aria-label={t(`quality.part.${part}`)} />
                  <span className="num">{format.fixed(parts[part], 2)}</span>
                </dd>
              </div>
            ))}
        </dl>
      </div>
    </Panel>
  )
}
