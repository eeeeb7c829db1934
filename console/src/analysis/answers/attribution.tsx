import { Select } from 'antd'
import { useMemo } from 'react'
import type { AttributionAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useWorkspace } from '@/shell/session'
import type { Colors } from '@/theme/colors'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Panel } from '@/ui/page'
import { Stats } from '@/ui/stats'
import { useUrlState } from '@/url/use-url-state'
import { MODELS } from '../kinds'
import { textOf } from '../question'
import { PeopleNumber, valueWords, type AnswerProps } from './shared'

type Touch = AttributionAnswer['touches'][number]
type Incremental = AttributionAnswer['incremental'][number]

export function Attribution({ question, answer, behind, compact }: AnswerProps<AttributionAnswer>) {
  const { t } = useLanguage()
  const format = useFormat()
  const url = useUrlState()
  const { currency } = useWorkspace()
  const money = (question.property ?? 'amount') === 'amount'
  const models = MODELS.filter((model) => answer.touches.some((touch) => model in touch.credit))
  const model = models.find((one) => one === url.get('model')) ?? (models.includes('linear') ? 'linear' : (models[0] ?? 'linear'))
  const costs = answer.touches.some((touch) => touch.cost !== null)
  const shown = new Map(answer.incremental.map((one) => [one.value, one]))
  const shownOf = (touch: Touch) => (model === 'incremental' && touch.value !== null ? shown.get(textOf(touch.value)) : undefined)
  const between = (one: Incremental | undefined) => (one ? ` [${one.conversions_low === null ? t('analysis.incremental.alike') : `${format.decimal(one.conversions_low, 1)}, ${format.decimal(one.conversions_high, 1)}`}]` : '')
  const nameOf = (touch: Touch) => (touch.value === null ? t(model === 'incremental' ? 'analysis.incremental.rest' : 'analysis.attribution.untouched') : valueWords(touch.value, t))
  const sorted = useMemo(() => [...answer.touches].sort((a, b) => (b.credit[model] ?? 0) - (a.credit[model] ?? 0)), [answer, model])
  // A value without a holdout has no incremental credit: that is unknown, not 0.
  const credited = useMemo(() => sorted.filter((touch) => model in touch.credit), [sorted, model])
  const option = useMemo(
    () => (c: Colors) => {
      const bars = credited.slice(0, 15).reverse()
      return {
        grid: { left: 8, right: model === 'incremental' ? 190 : 90, top: 8, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
        tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
        xAxis: { type: 'value', min: model === 'incremental' ? undefined : 0 },
        yAxis: { type: 'category', data: bars.map(nameOf) },
        series: [{ type: 'bar', name: t('analysis.attribution.credit'), data: bars.map((touch) => touch.credit[model] ?? 0), itemStyle: { color: c.accent, borderRadius: [0, 3, 3, 0] }, barMaxWidth: 26, label: { show: true, position: 'right', color: c.text, formatter: ({ value, dataIndex }: { value: number; dataIndex: number }) => `${format.decimal(value, 1)}${between(bars[dataIndex] && shownOf(bars[dataIndex]))}  ${format.percent(answer.conversions > 0 ? value / answer.conversions : null, 1)}` } }],
      }
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [credited, model, format, t],
  )
  if (answer.conversions === 0 && !compact) {
    return (
      <Panel>
        <EmptyState picture="curve" title={t('analysis.empty')}>
          {t('analysis.attribution.empty')}
        </EmptyState>
      </Panel>
    )
  }
  return (
    <>
      {!compact && (
        <Stats
          label={t('analysis.kind.attribution')}
          items={[
            { key: 'n', label: t('analysis.attribution.conversions'), value: format.count(answer.conversions) },
            { key: 'worth', label: t('analysis.attribution.worth'), value: format.decimal(answer.revenue), detail: money ? currency : undefined },
          ]}
        />
      )}
      <Chart
        id="attribution"
        title={t('analysis.kind.attribution')}
        about={t('analysis.attribution.about', { n: answer.conversions })}
        summary={credited.slice(0, 5).map((touch) => `${nameOf(touch)} ${format.decimal(touch.credit[model], 1)}${between(shownOf(touch))}`).join(' · ')}
        extra={compact ? undefined : <Select size="small" aria-label={t('analysis.field.models')} value={model} style={{ width: 190 }} options={models.map((one) => ({ value: one, label: t(`analysis.choice.model.${one}`) }))} onChange={(one) => url.set({ model: one })} />}
        height={compact ? 240 : 60 + Math.min(15, credited.length) * 32}
        option={option}
        table={{
          columns: [t('analysis.value'), ...models.map((one) => t(`analysis.choice.model.${one}`)), ...(models.includes('incremental') ? [t('analysis.low'), t('analysis.high')] : [])].map((title, at) => (at === 0 ? { title } : { title, end: true, show: (value: unknown) => format.decimal(value as number | null, 2) })),
          rows: sorted.map((touch) => {
            const own = touch.value === null ? undefined : shown.get(textOf(touch.value))
            return [nameOf(touch), ...models.map((one) => touch.credit[one] ?? null), ...(models.includes('incremental') ? [own?.conversions_low ?? null, own?.conversions_high ?? null] : [])]
          }),
        }}
      />
      {!compact && answer.incremental.length > 0 && (
        <Panel title={t('analysis.incremental')} about={`${t('analysis.incremental.about')}${money ? t('analysis.in_currency', { currency }) : ''}`} flush>
          <DataTable<Incremental>
            size="small"
            rowKey="value"
            dataSource={answer.incremental}
            pagination={false}
            scroll={{ x: 900 }}
            columns={[
              { title: t('analysis.value'), dataIndex: 'value', fixed: 'left' },
              { title: t('analysis.incremental.treated'), align: 'right', render: (_, one) => <Rate conversions={one.treated_rate} people={one.treated} /> },
              { title: t('analysis.incremental.held_out'), align: 'right', render: (_, one) => <Rate conversions={one.held_out_rate} people={one.held_out} /> },
              { title: t('analysis.incremental.conversions'), align: 'right', render: (_, one) => <Effect value={one.conversions} low={one.conversions_low} high={one.conversions_high} places={1} /> },
              { title: t('analysis.incremental.revenue'), align: 'right', render: (_, one) => <Effect value={one.revenue} low={one.revenue_low} high={one.revenue_high} places={0} /> },
              { title: t('analysis.costs.cost'), align: 'right', render: (_, one) => format.decimal(one.cost) },
              { title: t('analysis.attribution.cac'), align: 'right', render: (_, one) => (one.cac === null ? '—' : <Effect value={one.cac} low={one.cac_low} high={one.cac_high} places={2} unbounded />) },
              { title: t('analysis.attribution.roi'), align: 'right', render: (_, one) => (one.roi === null ? '—' : <Effect value={one.roi} low={one.roi_low} high={one.roi_high} show={(value) => format.percent(value, 0)} />) },
            ]}
          />
        </Panel>
      )}
      {!compact && (
        <Panel title={t('analysis.attribution.models')} about={`${t('analysis.attribution.adds')}${money ? t('analysis.in_currency', { currency }) : ''}`} flush>
          <DataTable<Touch & { at: number }>
            size="small"
            rowKey="at"
            dataSource={sorted.map((touch, at) => ({ ...touch, at }))}
            pagination={sorted.length > 50 ? { pageSize: 50, showSizeChanger: false } : false}
            scroll={{ x: 200 + models.length * 140 }}
            columns={[
              { title: t('analysis.value'), fixed: 'left', render: (_, touch) => nameOf(touch) },
              ...models.map((one) => ({
                title: t(`analysis.choice.model.${one}`),
                key: one,
                align: 'right' as const,
                render: (_: unknown, touch: Touch) => {
                  const own = one === 'incremental' && touch.value !== null ? shown.get(textOf(touch.value)) : undefined
                  return own ? <Shown of={own} /> : (
                  <>
                    <PeopleNumber
                      open={behind && one !== 'incremental' && (touch.credit[one] ?? 0) > 0 && touch.value !== '(other)' ? () => behind({ kind: 'attribution', question, which: { value: textOf(touch.value), model: one, untouched: touch.value === null }, title: `${nameOf(touch)} · ${t(`analysis.choice.model.${one}`)}` }) : undefined}
                      label={t('analysis.people.of', { what: `${nameOf(touch)} · ${t(`analysis.choice.model.${one}`)}` })}
                    >
                      <span className="num">{format.decimal(touch.credit[one], 1)}</span>
                    </PeopleNumber>
                    <div className="muted small" title={t('analysis.attribution.worth')}>
                      {format.decimal(touch.revenue[one], 0)}
                    </div>
                  </>
                  )
                },
              })),
              ...(costs
                ? [
                    { title: t('analysis.costs.cost'), key: 'cost', align: 'right' as const, render: (_: unknown, touch: Touch) => format.decimal(touch.cost) },
                    { title: t('analysis.attribution.cac'), key: 'cac', align: 'right' as const, render: (_: unknown, touch: Touch) => { const one = shownOf(touch); return one?.cac != null ? <Effect value={one.cac} low={one.cac_low} high={one.cac_high} places={2} unbounded /> : format.decimal(touch.cac[model]) } },
                    { title: t('analysis.attribution.roi'), key: 'roi', align: 'right' as const, render: (_: unknown, touch: Touch) => { const one = shownOf(touch); return one?.roi != null ? <Effect value={one.roi} low={one.roi_low} high={one.roi_high} show={(value) => format.percent(value, 0)} /> : format.percent(touch.roi[model], 0) } },
                  ]
                : []),
            ]}
          />
        </Panel>
      )}
    </>
  )
}

/** Conversions a person, with how many people it is of. */
function Rate({ conversions, people }: { conversions: number; people: number }) {
  const { t } = useLanguage()
  const format = useFormat()
  return (
    <>
      <span className="num">{format.decimal(conversions, 4)}</span> <span className="muted small">{t('analysis.incremental.of', { n: people })}</span>
    </>
  )
}

/** What a holdout shows, as a model's credit and worth. */
function Shown({ of }: { of: Incremental }) {
  return (
    <>
      <Effect value={of.conversions} low={of.conversions_low} high={of.conversions_high} places={1} />
      <Effect value={of.revenue} low={of.revenue_low} high={of.revenue_high} places={0} />
    </>
  )
}

/** An effect is never shown without its interval, or without saying that there is none. */
function Effect({ value, low, high, places, unbounded, show }: { value: number; low: number | null; high: number | null; places?: number; unbounded?: boolean; show?: (value: number | null) => string }) {
  const { t } = useLanguage()
  const format = useFormat()
  const words = show ?? ((one: number | null) => format.decimal(one, places))
  return (
    <>
      <span className="num">{words(value)}</span>
      <div className="muted small" title={t('analysis.interval')}>
        {low === null ? t('analysis.incremental.alike') : `${words(low)} – ${high === null && unbounded ? '∞' : words(high)}`}
      </div>
    </>
  )
}
