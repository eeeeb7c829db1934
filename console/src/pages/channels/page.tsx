import { DollarOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Alert, Button, Drawer, Input } from 'antd'
import { useState } from 'react'
import { valueWords } from '@/analysis/answers/shared'
import { http } from '@/api/client'
import type { ChannelCosts, ChannelLine, ChannelsAnswer } from '@/api/types'
import { Chart } from '@/chart/chart'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { ShareText, useUnit } from '@/measure/numbers'
import { useRange } from '@/measure/use-range'
import { useCan } from '@/shell/session'
import { AsCode } from '@/ui/as-code'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'

export default function ChannelsPage() {
  const { t } = useLanguage()
  const can = useCan()
  const url = useUrlState()
  const { range, button } = useRange('90d')
  const query = useQuery({ queryKey: ['channels', range], queryFn: ({ signal }) => http.post<ChannelsAnswer>('/channels', { range }, undefined, signal), retry: false })
  return (
    <Page
      title={t('channels.title')}
      about={t('channels.about')}
      actions={
        <>
          {button}
          {can('analyst') && (
            <Button icon={<DollarOutlined />} onClick={() => url.set({ costs: 1 })}>
              {t('channels.costs')}
            </Button>
          )}
          <AsCode path="/channels" body={{ range }} />
        </>
      }
    >
      <Loaded query={query} rows={10}>
        {(answer) => (answer.channels.length === 0 ? <Panel><EmptyState picture="people" title={t('channels.none')}>{t('channels.none.about')}</EmptyState></Panel> : <Shown answer={answer} />)}
      </Loaded>
      {url.get('costs') === '1' && can('analyst') && <Costs close={() => url.set({ costs: null })} />}
    </Page>
  )
}

function Shown({ answer }: { answer: ChannelsAnswer }) {
  const { t } = useLanguage()
  const format = useFormat()
  const unit = useUnit()
  const lines = answer.channels
  const names = lines.map((one) => valueWords(one.channel, t))
  return (
    <>
      {Object.keys(answer.unmatched).length > 0 && <Alert type="warning" showIcon title={t('channels.unmatched', { names: Object.keys(answer.unmatched).join(', ') })} />}
      <Chart
        id="pareto"
        title={t('channels.pareto')}
        summary={lines.filter((one) => one.best).map((one) => valueWords(one.channel, t)).join(', ')}
        height={280}
        option={(c) => ({
          grid: { left: 8, right: 48, top: 24, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'all' },
          tooltip: { trigger: 'axis' },
          xAxis: { type: 'category', data: names, axisLabel: { interval: 0, rotate: names.length > 8 ? 30 : 0 } },
          yAxis: [
            { type: 'value', min: 0, axisLabel: { formatter: (value: number) => format.compact(value) } },
            { type: 'value', min: 0, max: 1, splitLine: { show: false }, axisLabel: { formatter: (value: number) => format.percent(value, 0) } },
          ],
          series: [
            { type: 'bar', name: t('channels.revenue'), data: lines.map((one) => ({ value: one.revenue, itemStyle: { opacity: one.best ? 1 : 0.45 } })), color: c.series[0], tooltip: { valueFormatter: (value: unknown) => unit(value as number, 'money') } },
            { type: 'line', name: t('channels.cumulative'), yAxisIndex: 1, data: lines.map((one) => one.cumulative), color: c.series[1], tooltip: { valueFormatter: (value: unknown) => format.percent(value as number) } },
          ],
        })}
        table={{ columns: [{ title: t('channels.channel') }, { title: t('channels.revenue'), end: true, show: (value) => unit(value as number | null, 'money') }, { title: t('channels.cumulative'), end: true, show: (value) => format.percent(value as number | null) }], rows: lines.map((one, at) => [names[at] ?? '', one.revenue, one.cumulative]) }}
      />
      <Panel title={t('analysis.table')} about={t('channels.days', { first: answer.first, last: answer.last })} flush>
        <DataTable<ChannelLine>
          size="small"
          rowKey={(one) => JSON.stringify(one.channel)}
          dataSource={lines}
          pagination={false}
          scroll={{ x: 1240 }}
          columns={[
            { title: t('channels.channel'), fixed: 'left', render: (_, one) => <span>{valueWords(one.channel, t)} {one.best && <Pill tone="good">{t('channels.best')}</Pill>}</span> },
            { title: t('channels.people'), align: 'right', render: (_, one) => <span>{format.count(one.people)} <span className="small muted">{format.percent(one.share.share)}</span></span> },
            { title: t('channels.activated'), align: 'right', render: (_, one) => <ShareText part={one.activated} /> },
            { title: t('aarrr.day', { day: 'D7' }), align: 'right', render: (_, one) => <ShareText part={one.kept.D7} /> },
            { title: t('channels.payers'), align: 'right', render: (_, one) => <ShareText part={one.payers} /> },
            { title: t('channels.revenue'), align: 'right', render: (_, one) => unit(one.revenue, 'money') },
            { title: t('channels.value'), align: 'right', render: (_, one) => (one.value === null ? '—' : <span title={`${unit(one.value_low, 'money')} – ${unit(one.value_high, 'money')}`}>{unit(one.value, 'money')} <span className="small muted">{`${unit(one.value_low, 'money')} – ${unit(one.value_high, 'money')} · n=${format.count(one.valued)}`}</span></span>) },
            { title: t('channels.cost'), align: 'right', render: (_, one) => unit(one.cost, 'money') },
            { title: t('channels.cac'), align: 'right', render: (_, one) => unit(one.cac, 'money') },
            { title: t('channels.roi'), align: 'right', render: (_, one) => (one.roi === null ? '—' : format.percent(one.roi)) },
          ]}
        />
      </Panel>
    </>
  )
}

function Costs({ close }: { close: () => void }) {
  const { t } = useLanguage()
  const act = useAct()
  const format = useFormat()
  const client = useQueryClient()
  const [text, setText] = useState('')
  const query = useQuery({ queryKey: ['costs'], queryFn: ({ signal }) => http.get<ChannelCosts>('/channels/costs', undefined, signal) })
  async function put() {
    const done = await act(async () => {
      await http.put('/channels/costs', { csv: text })
      await Promise.all(['costs', 'channels', 'aarrr'].map((key) => client.invalidateQueries({ queryKey: [key] })))
    }, t('channels.costs.saved'))
    if (done) setText('')
  }
  return (
    <Drawer open size={560} title={t('channels.costs')} onClose={close}>
      <div className="stack">
        <p className="muted">{t('channels.costs.about')}</p>
        <Input.TextArea aria-label={t('channels.costs')} className="mono" autoSize={{ minRows: 5, maxRows: 14 }} placeholder={'day,channel,cost\n2026-06-01,douyin,1200.00'} value={text} onChange={(event) => setText(event.target.value)} />
        <div>
          <Button type="primary" disabled={text.trim() === ''} onClick={() => void put()}>
            {t('channels.costs.put')}
          </Button>
        </div>
        <Loaded query={query}>
          {(data) => (
            <DataTable
              size="small"
              rowKey={(one) => `${one.day}${one.channel}`}
              dataSource={[...data.costs].reverse()}
              pagination={data.costs.length > 20 ? { pageSize: 20, showSizeChanger: false } : false}
              columns={[
                { title: t('channels.day'), dataIndex: 'day' },
                { title: t('channels.channel'), dataIndex: 'channel' },
                { title: t('channels.cost'), align: 'right', render: (_, one) => format.money(one.minor) },
              ]}
            />
          )}
        </Loaded>
      </div>
    </Drawer>
  )
}
