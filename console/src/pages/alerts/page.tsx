import { BellOutlined, DeleteOutlined, EditOutlined, PlusOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Input, Select } from 'antd'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { Alert, AlertList, Incident, IncidentList, MetricList, ShownAlert } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { useUnit } from '@/measure/numbers'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill, type Tone } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'
import { AlertForm } from './alert-form'

const TONES: Record<string, Tone> = { ok: 'good', firing: 'bad', unknown: 'warn', new: 'plain' }
const HOURS = [1, 8, 24, 168] as const

export default function AlertsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const { modal } = App.useApp()
  const alerts = useQuery({ queryKey: ['alerts'], queryFn: ({ signal }) => http.get<AlertList>('/alerts', undefined, signal), refetchInterval: 15_000 })
  const metrics = useQuery({ queryKey: ['metrics'], queryFn: ({ signal }) => http.get<MetricList>('/metrics', undefined, signal) })
  const fresh = () => Promise.all([client.invalidateQueries({ queryKey: ['alerts'] }), client.invalidateQueries({ queryKey: ['incidents'] })])
  const edited = url.get('edit')
  const make = can('analyst') && (
    <Button type="primary" icon={<PlusOutlined />} disabled={metrics.data?.metrics.length === 0} onClick={() => url.set({ edit: '+' })}>
      {t('alerts.new')}
    </Button>
  )
  const nameOf = (key: string) => metrics.data?.metrics.find((one) => one.metric.key === key)?.metric.name ?? key
  function remove(one: ShownAlert) {
    void modal.confirm({
      title: t('analysis.remove.title', { title: one.alert.name }),
      content: t('alerts.remove.about'),
      okText: t('analysis.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.delete(`/alerts/${one.alert.key}`)
          await fresh()
        }, t('analysis.removed')),
    })
  }
  const silence = (one: ShownAlert, hours: number | null) =>
    void act(async () => {
      await http.post(`/alerts/${one.alert.key}/silence`, { until: hours === null ? null : new Date(Date.now() + hours * 3_600_000).toISOString() })
      await fresh()
    }, hours === null ? t('alerts.speaks') : t('alerts.silenced'))
  return (
    <Page title={t('alerts.title')} about={t('alerts.about')} actions={<><Link to="/settings/destinations">{t('destinations.title')}</Link>{make}</>}>
      <Incidents />
      <Loaded query={alerts}>
        {(data) =>
          data.alerts.length === 0 ? (
            <Panel>
              <EmptyState picture="curve" title={t('alerts.none')} action={metrics.data?.metrics.length === 0 ? <Link to="/analysis/metrics?new=1">{t('alerts.metric_first')}</Link> : make}>
                {t('alerts.none.about')}
              </EmptyState>
            </Panel>
          ) : (
            <Panel title={t('alerts.all')} flush>
              <DataTable<ShownAlert>
                size="small"
                rowKey={(one) => one.alert.key}
                dataSource={data.alerts}
                pagination={false}
                scroll={{ x: 900 }}
                columns={[
                  { title: t('alerts.state'), render: (_, one) => <span title={one.reason}><Pill tone={TONES[one.state] ?? 'plain'}>{t(`alerts.state.${one.state}` as MessageKey)}</Pill>{one.alert.enabled === false && <Pill>{t('alerts.off')}</Pill>}</span> },
                  { title: t('metrics.name'), render: (_, one) => one.alert.name },
                  { title: t('alerts.metric'), render: (_, one) => <Link to={`/analysis/metrics/${one.alert.metric}`}>{nameOf(one.alert.metric)}</Link> },
                  { title: t('alerts.condition'), render: (_, one) => <Condition alert={one.alert} /> },
                  { title: t('alerts.judged'), render: (_, one) => (one.judged === '' ? '—' : <span title={one.reason || format.instantFull(one.judged_at)}>{one.judged}{one.reason !== '' && <span className="small muted"> · {one.reason}</span>}</span>) },
                  { title: t('alerts.to'), align: 'right', render: (_, one) => format.count((one.alert.destinations ?? []).length) },
                  {
                    title: '',
                    align: 'right',
                    render: (_, one) =>
                      can('analyst') && (
                        <span className="row" style={{ gap: 4, flexWrap: 'nowrap', justifyContent: 'flex-end' }}>
                          {one.silenced_until !== null && new Date(one.silenced_until) > new Date() ? (
                            <Button size="small" icon={<BellOutlined />} title={format.instantFull(one.silenced_until)} onClick={() => silence(one, null)}>
                              {t('alerts.speak')}
                            </Button>
                          ) : (
                            <Select size="small" aria-label={t('alerts.silence')} placeholder={t('alerts.silence')} style={{ minWidth: 96 }} value={null} options={HOURS.map((hours) => ({ value: hours, label: t('alerts.hours', { n: hours }) }))} onChange={(hours: number | null) => hours !== null && silence(one, hours)} />
                          )}
                          <Button size="small" type="text" icon={<EditOutlined />} aria-label={`${t('alerts.change')} ${one.alert.name}`} onClick={() => url.set({ edit: one.alert.key })} />
                          <Button size="small" type="text" icon={<DeleteOutlined />} aria-label={t('analysis.remove.title', { title: one.alert.name })} onClick={() => remove(one)} />
                        </span>
                      ),
                  },
                ]}
              />
            </Panel>
          )
        }
      </Loaded>
      {edited !== '' && can('analyst') && alerts.data && metrics.data && (
        <AlertForm
          key={edited}
          held={alerts.data.alerts.find((one) => one.alert.key === edited)}
          metrics={metrics.data.metrics}
          close={() => url.set({ edit: null })}
          done={async () => {
            await fresh()
            url.set({ edit: null })
          }}
        />
      )}
    </Page>
  )
}

function Condition({ alert }: { alert: Alert }) {
  const { t } = useLanguage()
  const { condition } = alert
  const side = t(`alerts.side.${condition.side ?? 'either'}`)
  const every = t(`metrics.interval.${alert.interval ?? 'day'}`)
  if (condition.kind === 'threshold') return <span>{t('alerts.says.threshold', { every, side, value: condition.value ?? 0 })}</span>
  if (condition.kind === 'change') return <span>{t('alerts.says.change', { every, side, percent: condition.percent ?? 20, versus: t(`alerts.versus.${condition.versus ?? 'previous'}`) })}</span>
  return <span>{t('alerts.says.seasonal', { every, side, n: condition.sensitivity ?? 3 })}</span>
}

function Incidents() {
  const { t } = useLanguage()
  const format = useFormat()
  const unit = useUnit()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const { modal } = App.useApp()
  const only = url.get('alert')
  const query = useQuery({ queryKey: ['incidents', only], queryFn: ({ signal }) => http.get<IncidentList>('/incidents', { alert: only }, signal), refetchInterval: 15_000 })
  function acknowledge(one: Incident) {
    let note = one.note
    void modal.confirm({
      title: t('alerts.acknowledge.title', { name: one.name }),
      content: <Input.TextArea aria-label={t('alerts.note')} placeholder={t('alerts.note')} defaultValue={note} maxLength={2000} autoSize={{ minRows: 2 }} onChange={(event) => (note = event.target.value)} />,
      okText: t('alerts.acknowledge'),
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.post(`/incidents/${one.id}/acknowledge`, { note })
          await client.invalidateQueries({ queryKey: ['incidents'] })
        }, t('alerts.acknowledged')),
    })
  }
  return (
    <Loaded query={query}>
      {(data) =>
        data.incidents.length === 0 ? null : (
          <Panel title={t('alerts.incidents')} extra={only !== '' && <Button size="small" onClick={() => url.set({ alert: null })}>{t('action.clear')}</Button>} flush>
            <DataTable<Incident>
              size="small"
              rowKey="id"
              dataSource={data.incidents}
              pagination={data.incidents.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
              scroll={{ x: 900 }}
              expandable={{ expandedRowRender: (one) => <pre className="incident-text">{one.text}</pre>, rowExpandable: (one) => one.text !== '' }}
              columns={[
                { title: t('alerts.state'), render: (_, one) => <Pill tone={one.closed_at === null ? 'bad' : 'plain'}>{one.closed_at === null ? t('alerts.open') : t('alerts.over')}</Pill> },
                { title: t('metrics.name'), dataIndex: 'name' },
                { title: t('alerts.periods'), render: (_, one) => (one.first_period === one.last_period ? one.first_period : `${one.first_period} – ${one.last_period}`) },
                { title: t('alerts.value'), align: 'right', render: (_, one) => unit(one.value, one.unit) },
                { title: t('alerts.usual'), align: 'right', render: (_, one) => <span>{unit(one.expected, one.unit)} {(one.low !== null || one.high !== null) && <span className="small muted">{`${one.low === null ? '' : unit(one.low, one.unit)} – ${one.high === null ? '' : unit(one.high, one.unit)}`}</span>}</span> },
                { title: t('alerts.since'), render: (_, one) => <span title={format.instantFull(one.opened_at)}>{format.ago(one.opened_at)}</span> },
                { title: t('alerts.by'), render: (_, one) => (one.acknowledged_by === '' ? can('analyst') && one.closed_at === null ? <Button size="small" onClick={() => acknowledge(one)}>{t('alerts.acknowledge')}</Button> : '—' : <span title={one.note}>{one.acknowledged_by}{one.note !== '' && <span className="small muted"> · {one.note}</span>}</span>) },
              ]}
            />
          </Panel>
        )
      }
    </Loaded>
  )
}
