import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, InputNumber, Select } from 'antd'
import { useState, type ReactNode } from 'react'
import { FilterEditor, propertyOptions } from '@/analysis/editors/filter-editor'
import { StepEditor } from '@/analysis/editors/step-editor'
import { StepsEditor } from '@/analysis/editors/steps-editor'
import { useNames } from '@/analysis/use-names'
import { http } from '@/api/client'
import type { Metric, MetricAnswer } from '@/api/types'
import { useLanguage } from '@/i18n/language'
import { ProblemView } from '@/ui/problem'
import { MetricChart } from './metric-chart'

const KINDS = ['count', 'people', 'sum', 'mean', 'ratio', 'proportion', 'retention', 'quantile', 'funnel'] as const
const UNITS = ['number', 'people', 'money', 'share', 'seconds'] as const
const PARTS = ['count', 'people', 'sum'] as const

interface FormProps {
  value: Partial<Metric>
  /** The key of a metric that is there cannot be changed. */
  fixed: boolean
  close: () => void
  save: (metric: Metric) => Promise<boolean>
}

/** A metric's definition, with what it says of the last thirty days beside it. */
export function MetricForm({ value, fixed, close, save }: FormProps) {
  const { t } = useLanguage()
  const names = useNames()
  const [metric, setMetric] = useState<Partial<Metric>>({ kind: 'count', event: '*', direction: 'up', ...value })
  const [saving, setSaving] = useState(false)
  const known = names.data ?? { events: [], properties: [], context: [], traits: [] }
  const kind = metric.kind ?? 'count'
  const set = (part: Partial<Metric>) => setMetric({ ...metric, ...part })
  const turn = (next: string) => {
    const kept = { key: metric.key, name: metric.name, about: metric.about, owner: metric.owner, direction: metric.direction, event: metric.event, filters: metric.filters }
    setMetric({
      ...(kept as Partial<Metric>),
      kind: next,
      ...(next === 'ratio' ? { aggregate: 'count', denominator: { event: '*', aggregate: 'people' } } : {}),
      ...(next === 'funnel' ? { steps: known.events.slice(0, 2), window: '14d' } : {}),
      ...(next === 'retention' ? { return: '*', interval: 'day', after: 1 } : {}),
      ...(next === 'quantile' ? { quantile: 0.9 } : {}),
      ...(['sum', 'quantile'].includes(next) ? { value: known.properties[0] ?? 'amount' } : {}),
    })
  }
  const complete = (metric.key ?? '') !== '' && (metric.name ?? '').trim() !== ''
  const tried = useQuery({
    queryKey: ['metric-preview', metric],
    queryFn: ({ signal }) => http.post<MetricAnswer>('/metrics/preview', { metric: { ...metric, key: metric.key ?? 'x', name: (metric.name ?? '') || 'x' }, asked: { range: { last: '30d' } } }, undefined, signal),
    retry: false,
  })
  const properties = propertyOptions(known).map((one) => ({ ...one, label: one.value }))
  const row = (label: string, content: ReactNode) => (
    <Form.Item label={label} style={{ marginBottom: 12 }}>
      {content}
    </Form.Item>
  )
  return (
    <Drawer
      open
      size={760}
      title={fixed ? t('metrics.change') : t('metrics.new')}
      onClose={close}
      footer={
        <div className="row">
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button
            type="primary"
            loading={saving}
            disabled={!complete || tried.isError}
            onClick={() => {
              setSaving(true)
              void save(metric as Metric).finally(() => setSaving(false))
            }}
          >
            {t('action.save')}
          </Button>
        </div>
      }
    >
      <Form layout="vertical">
        {row(t('metrics.name'), <Input aria-label={t('metrics.name')} maxLength={120} value={metric.name} onChange={(event) => set({ name: event.target.value })} />)}
        {row(t('metrics.key'), <Input aria-label={t('metrics.key')} disabled={fixed} className="mono" maxLength={64} value={metric.key} status={(metric.key ?? '') !== '' && !/^[a-z0-9][a-z0-9_-]*$/.test(metric.key ?? '') ? 'error' : ''} onChange={(event) => set({ key: event.target.value })} />)}
        {row(t('metrics.kind'), <Select aria-label={t('metrics.kind')} value={kind} options={KINDS.map((one) => ({ value: one, label: t(`metrics.kind.${one}`) }))} onChange={turn} />)}
        {kind !== 'funnel' && row(kind === 'ratio' ? t('metrics.upper') : t('metrics.event'), <StepEditor plain label={t('metrics.event')} value={metric.event ?? '*'} names={known} onChange={(event) => set({ event: event ?? '*' })} />)}
        {kind === 'ratio' && row(t('metrics.aggregate'), <Select aria-label={t('metrics.aggregate')} value={metric.aggregate ?? 'count'} options={PARTS.map((one) => ({ value: one, label: t(`metrics.part.${one}`) }))} onChange={(aggregate: string) => set({ aggregate, ...(aggregate === 'sum' ? { value: metric.value ?? known.properties[0] ?? 'amount' } : { value: null }) })} />)}
        {(['sum', 'mean', 'quantile'].includes(kind) || (kind === 'ratio' && metric.aggregate === 'sum')) && row(t('metrics.value'), <Select aria-label={t('metrics.value')} allowClear={kind === 'mean'} showSearch value={metric.value ?? null} options={properties} onChange={(one: string | null | undefined) => set({ value: one ?? null })} />)}
        {row(t('metrics.filters'), <FilterEditor value={metric.filters} names={known} onChange={(filters) => set({ filters })} />)}
        {kind === 'ratio' && metric.denominator && (
          <>
            {row(t('metrics.lower'), <StepEditor plain label={t('metrics.lower')} value={metric.denominator.event ?? '*'} names={known} onChange={(event) => set({ denominator: { ...metric.denominator, event: event ?? '*' } })} />)}
            {row(t('metrics.lower_aggregate'), <Select aria-label={t('metrics.lower_aggregate')} value={metric.denominator.aggregate ?? 'people'} options={PARTS.map((one) => ({ value: one, label: t(`metrics.part.${one}`) }))} onChange={(aggregate: string) => set({ denominator: { ...metric.denominator, aggregate, value: aggregate === 'sum' ? (metric.denominator?.value ?? known.properties[0] ?? 'amount') : null } })} />)}
            {metric.denominator.aggregate === 'sum' && row(t('metrics.lower_value'), <Select aria-label={t('metrics.lower_value')} showSearch value={metric.denominator.value ?? null} options={properties} onChange={(one: string) => set({ denominator: { ...metric.denominator, value: one } })} />)}
          </>
        )}
        {kind === 'proportion' && row(t('metrics.of'), <StepEditor plain label={t('metrics.of')} value={metric.of ?? '*'} names={known} onChange={(of) => set({ of: of ?? '*' })} />)}
        {kind === 'retention' && (
          <>
            {row(t('metrics.return'), <StepEditor plain label={t('metrics.return')} value={metric.return ?? '*'} names={known} onChange={(one) => set({ return: one ?? '*' })} />)}
            {row(t('metrics.after'), <span className="row"><InputNumber aria-label={t('metrics.after')} min={1} max={365} value={metric.after ?? 1} onChange={(after) => set({ after: after ?? 1 })} /><Select aria-label={t('metrics.interval')} value={metric.interval ?? 'day'} options={(['day', 'week', 'month'] as const).map((one) => ({ value: one, label: t(`metrics.interval.${one}`) }))} onChange={(interval: 'day' | 'week' | 'month') => set({ interval })} /></span>)}
          </>
        )}
        {kind === 'quantile' && row(t('metrics.quantile'), <InputNumber aria-label={t('metrics.quantile')} min={0.01} max={0.99} step={0.05} value={metric.quantile ?? 0.9} onChange={(quantile) => set({ quantile: quantile ?? 0.9 })} />)}
        {kind === 'funnel' && (
          <>
            {row(t('metrics.steps'), <StepsEditor value={metric.steps} names={known} onChange={(steps) => set({ steps: steps as unknown[] })} />)}
            {row(t('metrics.window'), <Input aria-label={t('metrics.window')} style={{ width: 120 }} value={metric.window ?? ''} onChange={(event) => set({ window: event.target.value === '' ? null : event.target.value })} />)}
          </>
        )}
        {(kind === 'sum' || kind === 'mean') && (metric.value ?? null) !== null && row(t('metrics.cap'), <InputNumber aria-label={t('metrics.cap')} value={metric.cap ?? null} onChange={(cap) => set({ cap })} />)}
        {row(t('metrics.direction'), <Select aria-label={t('metrics.direction')} value={metric.direction ?? 'up'} options={(['up', 'down'] as const).map((one) => ({ value: one, label: t(`metrics.direction.${one}`) }))} onChange={(direction: 'up' | 'down') => set({ direction })} />)}
        {row(t('metrics.unit'), <Select aria-label={t('metrics.unit')} allowClear placeholder={t('metrics.unit.usual')} value={metric.unit === '' || metric.unit === undefined ? null : metric.unit} options={UNITS.map((one) => ({ value: one, label: t(`metrics.unit.${one}`) }))} onChange={(one: string | null | undefined) => set({ unit: one ?? '' })} />)}
        {row(t('metrics.owner'), <Input aria-label={t('metrics.owner')} maxLength={120} value={metric.owner} onChange={(event) => set({ owner: event.target.value })} />)}
        {row(t('metrics.about'), <Input.TextArea aria-label={t('metrics.about')} maxLength={2000} autoSize={{ minRows: 2 }} value={metric.about} onChange={(event) => set({ about: event.target.value })} />)}
      </Form>
      {tried.data ? <MetricChart answer={{ ...tried.data, name: (metric.name ?? '') || t('metrics.preview') }} height={200} id="preview" /> : tried.error ? <ProblemView error={tried.error} /> : null}
    </Drawer>
  )
}
