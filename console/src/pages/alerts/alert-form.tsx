import { useQuery } from '@tanstack/react-query'
import { Button, Drawer, Form, Input, InputNumber, Select, Switch } from 'antd'
import { useState, type ReactNode } from 'react'
import { FilterEditor, propertyOptions } from '@/analysis/editors/filter-editor'
import { useNames } from '@/analysis/use-names'
import { http } from '@/api/client'
import type { Alert, AlertPreview, DestinationList, ShownAlert, ShownMetric } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useLanguage } from '@/i18n/language'
import { useUnit } from '@/measure/numbers'
import { ProblemView } from '@/ui/problem'
import { useAct } from '@/ui/use-act'

const KINDS = ['seasonal', 'change', 'threshold'] as const
const SIDES = ['either', 'below', 'above'] as const
const INTERVALS = ['hour', 'day', 'week', 'month'] as const

interface FormProps {
  held: ShownAlert | undefined
  metrics: ShownMetric[]
  close: () => void
  done: () => Promise<void>
}

/** An alert, with what it would have said of the last periods. */
export function AlertForm({ held, metrics, close, done }: FormProps) {
  const { t } = useLanguage()
  const act = useAct()
  const unit = useUnit()
  const names = useNames()
  const [alert, setAlert] = useState<Alert>(held?.alert ?? { key: '', name: '', metric: metrics[0]?.metric.key ?? '', condition: { kind: 'seasonal' } })
  const [saving, setSaving] = useState(false)
  const destinations = useQuery({ queryKey: ['destinations'], queryFn: ({ signal }) => http.get<DestinationList>('/destinations', undefined, signal) })
  const known = names.data ?? { events: [], properties: [], context: [], traits: [] }
  const set = (part: Partial<Alert>) => setAlert({ ...alert, ...part })
  const { condition } = alert
  const put = (part: Partial<Alert['condition']>) => set({ condition: { ...condition, ...part } })
  const preview = useQuery({
    queryKey: ['alert-preview', alert],
    queryFn: ({ signal }) => http.post<AlertPreview>('/alerts/preview', { ...alert, key: alert.key || 'x', name: alert.name || 'x' }, undefined, signal),
    enabled: alert.metric !== '',
    retry: false,
  })
  const unitOf = metrics.find((one) => one.metric.key === alert.metric)?.unit ?? 'number'
  const periods = preview.data?.periods ?? []
  const row = (label: string, content: ReactNode) => (
    <Form.Item label={label} style={{ marginBottom: 12 }}>
      {content}
    </Form.Item>
  )
  async function save() {
    setSaving(true)
    await act(async () => {
      if (held) await http.put(`/alerts/${alert.key}`, { alert, version: held.version })
      else await http.post('/alerts', alert)
      await done()
    }, t('alerts.saved'))
    setSaving(false)
  }
  return (
    <Drawer
      open
      size={720}
      title={held ? t('alerts.change') : t('alerts.new')}
      onClose={close}
      footer={
        <div className="row">
          <Button onClick={close}>{t('action.cancel')}</Button>
          <Button type="primary" loading={saving} disabled={alert.key === '' || alert.name.trim() === '' || preview.isError} onClick={() => void save()}>
            {t('action.save')}
          </Button>
        </div>
      }
    >
      <Form layout="vertical">
        {row(t('metrics.name'), <Input aria-label={t('metrics.name')} maxLength={120} value={alert.name} onChange={(event) => set({ name: event.target.value })} />)}
        {row(t('metrics.key'), <Input aria-label={t('metrics.key')} className="mono" disabled={held !== undefined} maxLength={64} value={alert.key} onChange={(event) => set({ key: event.target.value })} />)}
        {row(t('alerts.metric'), <Select aria-label={t('alerts.metric')} showSearch={{ optionFilterProp: 'label' }} value={alert.metric} options={metrics.map((one) => ({ value: one.metric.key, label: one.metric.name }))} onChange={(metric: string) => set({ metric })} />)}
        {row(t('alerts.every'), <Select aria-label={t('alerts.every')} value={alert.interval ?? 'day'} options={INTERVALS.map((one) => ({ value: one, label: t(`metrics.interval.${one}`) }))} onChange={(interval: 'hour' | 'day' | 'week' | 'month') => set({ interval })} />)}
        {row(t('alerts.condition'), <Select aria-label={t('alerts.condition')} value={condition.kind} options={KINDS.map((one) => ({ value: one, label: t(`alerts.kind.${one}`) }))} onChange={(kind: string) => set({ condition: { kind, side: kind === 'threshold' ? 'below' : 'either', ...(kind === 'threshold' ? { value: 0 } : {}) } })} />)}
        {row(t('alerts.side'), <Select aria-label={t('alerts.side')} value={condition.side ?? 'either'} options={SIDES.filter((one) => condition.kind !== 'threshold' || one !== 'either').map((one) => ({ value: one, label: t(`alerts.side.${one}`) }))} onChange={(side: 'above' | 'below' | 'either') => put({ side })} />)}
        {condition.kind === 'threshold' && row(t('alerts.threshold'), <InputNumber aria-label={t('alerts.threshold')} style={{ width: 180 }} value={condition.value ?? 0} onChange={(value) => put({ value: value ?? 0 })} />)}
        {condition.kind === 'change' && (
          <>
            {row(t('alerts.percent'), <InputNumber aria-label={t('alerts.percent')} min={0.1} value={condition.percent ?? 20} onChange={(percent) => put({ percent: percent ?? 20 })} />)}
            {row(t('alerts.versus'), <Select aria-label={t('alerts.versus')} value={condition.versus ?? 'previous'} options={(['previous', 'week'] as const).map((one) => ({ value: one, label: t(`alerts.versus.${one}`) }))} onChange={(versus: 'previous' | 'week') => put({ versus })} />)}
          </>
        )}
        {condition.kind === 'seasonal' && row(t('alerts.sensitivity'), <InputNumber aria-label={t('alerts.sensitivity')} min={1.5} max={10} step={0.5} value={condition.sensitivity ?? 3} onChange={(sensitivity) => put({ sensitivity: sensitivity ?? 3 })} />)}
        {row(t('alerts.at_least'), <InputNumber aria-label={t('alerts.at_least')} min={0} value={alert.at_least ?? 0} onChange={(at_least) => set({ at_least: at_least ?? 0 })} />)}
        {row(t('metrics.filters'), <FilterEditor value={alert.filters} names={known} onChange={(filters) => set({ filters })} />)}
        {row(t('alerts.explain'), <Select mode="multiple" aria-label={t('alerts.explain')} placeholder={t('alerts.explain.usual')} value={alert.explain_by ?? []} options={propertyOptions(known).map((one) => ({ ...one, label: one.value }))} onChange={(explain_by: string[]) => set({ explain_by })} />)}
        {row(t('alerts.to'), <Select mode="multiple" aria-label={t('alerts.to')} placeholder={t('alerts.to.none')} value={alert.destinations ?? []} options={(destinations.data?.destinations ?? []).map((one) => ({ value: one.id, label: one.name }))} onChange={(list: number[]) => set({ destinations: list })} />)}
        {row(t('metrics.owner'), <Input aria-label={t('metrics.owner')} maxLength={120} value={alert.owner} onChange={(event) => set({ owner: event.target.value })} />)}
        {row(t('alerts.enabled'), <Switch aria-label={t('alerts.enabled')} checked={alert.enabled !== false} onChange={(enabled) => set({ enabled })} />)}
      </Form>
      {preview.error ? (
        <ProblemView error={preview.error} />
      ) : (
        periods.length > 0 && (
          <Chart
            id="alert-preview"
            title={t('alerts.preview')}
            summary={periods.filter((one) => one.firing).map((one) => one.period).join(', ')}
            height={220}
            option={(c) => ({
              grid: { left: 8, right: 24, top: 16, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
              tooltip: { trigger: 'axis', valueFormatter: (value: unknown) => (typeof value === 'number' ? unit(value, unitOf) : '—') },
              xAxis: { type: 'category', data: periods.map((one) => one.period) },
              yAxis: { type: 'value', scale: true, axisLabel: { formatter: (value: number) => unit(value, unitOf) } },
              series: [
                { type: 'line', name: t('alerts.value'), color: c.series[0], data: periods.map((one) => ({ value: one.value, symbolSize: one.firing ? 11 : 4, itemStyle: one.firing ? { color: '#c0392b' } : {} })) },
                { type: 'line', name: t('alerts.usual'), color: c.secondary, lineStyle: { type: 'dashed' }, showSymbol: false, data: periods.map((one) => one.expected) },
                { type: 'line', name: t('alerts.low'), color: c.secondary, lineStyle: { opacity: 0.5 }, showSymbol: false, data: periods.map((one) => one.low) },
                { type: 'line', name: t('alerts.high'), color: c.secondary, lineStyle: { opacity: 0.5 }, showSymbol: false, data: periods.map((one) => one.high) },
              ],
            })}
            table={{ columns: [{ title: t('analysis.period') }, { title: t('alerts.value'), end: true }, { title: t('alerts.low'), end: true }, { title: t('alerts.high'), end: true }, { title: t('alerts.state') }], rows: periods.map((one) => [one.period, one.value, one.low, one.high, one.firing === null ? one.reason : one.firing ? t('alerts.state.firing') : t('alerts.state.ok')]) }}
          />
        )
      )}
    </Drawer>
  )
}
