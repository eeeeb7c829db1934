import { DeleteOutlined, EditOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Select } from 'antd'
import { Link, useNavigate, useParams } from 'react-router'
import { questionAddress } from '@/analysis/address'
import { valueWords } from '@/analysis/answers/shared'
import { propertyOptions } from '@/analysis/editors/filter-editor'
import { useNames } from '@/analysis/use-names'
import { http } from '@/api/client'
import type { MetricAnswer, MetricVersions, ShownMetric } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { MetricChart } from '@/measure/metric-chart'
import { MetricForm } from '@/measure/metric-form'
import { useMadeOf, useUnit } from '@/measure/numbers'
import { useRange } from '@/measure/use-range'
import { useCan } from '@/shell/session'
import { AsCode } from '@/ui/as-code'
import { DataTable } from '@/ui/data-table'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Facts } from '@/ui/stats'
import { useAct } from '@/ui/use-act'
import { oneOf, useUrlState } from '@/url/use-url-state'

const INTERVALS = ['day', 'week', 'month', 'hour'] as const
const USES: Record<string, string> = { board: '/analysis/boards/', alert: '/settings/alerts?alert=', tree: '/analysis/trees/' }

export default function MetricPage() {
  const { key = '' } = useParams()
  const query = useQuery({ queryKey: ['metrics', key], queryFn: ({ signal }) => http.get<ShownMetric>(`/metrics/${key}`, undefined, signal) })
  return <Loaded query={query}>{(held) => <Shown held={held} />}</Loaded>
}

function Shown({ held }: { held: ShownMetric }) {
  const { t } = useLanguage()
  const format = useFormat()
  const unit = useUnit()
  const madeOf = useMadeOf()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const navigate = useNavigate()
  const names = useNames()
  const { modal } = App.useApp()
  const { range, button } = useRange('30d')
  const { metric } = held
  const interval = oneOf(url.get('interval'), INTERVALS)
  const breakdown = url.get('by')
  const asked = { range, interval, compare: true, ...(breakdown === '' ? {} : { breakdown }) }
  const answer = useQuery({ queryKey: ['metric-values', metric.key, held.version, asked], queryFn: ({ signal }) => http.post<MetricAnswer>(`/metrics/${metric.key}/values`, asked, undefined, signal), retry: false })
  const versions = useQuery({ queryKey: ['metrics', metric.key, 'versions'], queryFn: ({ signal }) => http.get<MetricVersions>(`/metrics/${metric.key}/versions`, undefined, signal) })
  function remove() {
    void modal.confirm({
      title: t('analysis.remove.title', { title: metric.name }),
      content: t('metrics.remove.about'),
      okText: t('analysis.remove'),
      okButtonProps: { danger: true },
      cancelText: t('action.cancel'),
      onOk: () =>
        act(async () => {
          await http.delete(`/metrics/${metric.key}`)
          await client.invalidateQueries({ queryKey: ['metrics'] })
          void navigate('/analysis/metrics')
        }, t('analysis.removed')),
    })
  }
  return (
    <Page
      title={metric.name}
      about={(metric.about ?? '') !== '' ? metric.about : t(`metrics.kind.${metric.kind}` as MessageKey)}
      asOf={t('metrics.asof', { version: held.version, when: format.ago(held.changed_at) })}
      actions={
        <>
          {button}
          {can('analyst') && (
            <>
              <Button icon={<EditOutlined />} onClick={() => url.set({ edit: 1 })}>
                {t('metrics.change')}
              </Button>
              <Button icon={<DeleteOutlined />} aria-label={t('action.delete')} onClick={remove} />
            </>
          )}
        </>
      }
    >
      <Panel label={t('metrics.asked')}>
        <div className="row">
          <Select aria-label={t('metrics.interval')} disabled={metric.kind === 'retention'} value={metric.kind === 'retention' ? (metric.interval ?? 'day') : interval} options={INTERVALS.map((one) => ({ value: one, label: t(`metrics.interval.${one}`) }))} onChange={(one: string) => url.set({ interval: one === 'day' ? null : one })} />
          <Select aria-label={t('metrics.by')} allowClear showSearch placeholder={t('metrics.by')} style={{ minWidth: 180 }} value={breakdown === '' ? null : breakdown} options={propertyOptions(names.data ?? { events: [], properties: [], context: [], traits: [] }).map((one) => ({ ...one, label: one.value }))} onChange={(one: string | null | undefined) => url.set({ by: one ?? null })} />
          <span className="grow" />
          <AsCode path={`/metrics/${metric.key}/values`} body={asked} size="small" />
          {answer.data && <Link to={questionAddress(answer.data.kind, answer.data.question)}>{t('metrics.question')}</Link>}
        </div>
      </Panel>
      <Loaded query={answer} rows={8}>
        {(data) => (
          <>
            {data.series.some((one) => one.points.length > 0) && <MetricChart answer={data} />}
            <Panel title={t('analysis.table')} flush>
              <DataTable<MetricAnswer['series'][number]>
                size="small"
                rowKey={(one) => JSON.stringify(one.breakdown)}
                dataSource={data.series}
                pagination={data.series.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
                scroll={{ x: 720 }}
                columns={[
                  ...(breakdown === '' ? [] : [{ title: breakdown, render: (_: unknown, one: MetricAnswer['series'][number]) => valueWords(one.breakdown, t) }]),
                  { title: metric.name, align: 'right', render: (_, one) => unit(one.total.value, data.unit) },
                  { title: t('metrics.made_of'), align: 'right', render: (_, one) => <span className="small muted">{madeOf(one.total, data.unit)}</span> },
                  { title: t('metrics.previous'), align: 'right', render: (_, one) => unit(one.previous?.value, data.unit) },
                  { title: t('metrics.moved'), align: 'right', render: (_, one) => <Moved now={one.total.value} before={one.previous?.value} good={data.direction === 'up'} /> },
                ]}
              />
            </Panel>
          </>
        )}
      </Loaded>
      <Panel title={t('metrics.uses')}>
        {held.uses.length === 0 ? (
          <p className="muted">{t('metrics.uses.none')}</p>
        ) : (
          <ul>
            {held.uses.map((use) => (
              <li key={`${use.kind}${use.id}`}>
                {t(`metrics.use.${use.kind}` as MessageKey)} · <Link to={`${USES[use.kind] ?? '/'}${use.id}`}>{use.name}</Link>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Loaded query={versions}>
        {(data) => (
          <Panel title={t('metrics.versions')}>
            <Facts items={data.versions.map((one) => ({ key: String(one.version), label: t('metrics.version.n', { n: one.version }), value: <span title={format.instantFull(one.changed_at)}>{`${one.by} · ${format.instant(one.changed_at)} · `}{t(`metrics.kind.${one.metric.kind}` as MessageKey)}</span> }))} />
          </Panel>
        )}
      </Loaded>
      {url.get('edit') === '1' && can('analyst') && (
        <MetricForm
          value={metric}
          fixed
          close={() => url.set({ edit: null })}
          save={async (next) => {
            const done = await act(async () => {
              await http.put(`/metrics/${metric.key}`, { metric: next, version: held.version })
              await client.invalidateQueries({ queryKey: ['metrics'] })
            }, t('metrics.saved'))
            if (done) url.set({ edit: null })
            return done
          }}
        />
      )}
    </Page>
  )
}

/** By how much a value moved, and whether that is good. */
export function Moved({ now, before, good }: { now: number | null | undefined; before: number | null | undefined; good: boolean }) {
  const format = useFormat()
  if (now === null || now === undefined || before === null || before === undefined || before === 0) return <span className="muted">—</span>
  const share = now / before - 1
  const color = share === 0 ? undefined : share > 0 === good ? 'var(--good)' : 'var(--bad)'
  return <span style={{ color }}>{`${share > 0 ? '+' : ''}${format.percent(share)}`}</span>
}
