import { PlusOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { Link, useNavigate } from 'react-router'
import { http } from '@/api/client'
import type { MetricList, ShownMetric } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import type { MessageKey } from '@/i18n/messages'
import { MetricForm } from '@/measure/metric-form'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'

export default function MetricsPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const navigate = useNavigate()
  const query = useQuery({ queryKey: ['metrics'], queryFn: ({ signal }) => http.get<MetricList>('/metrics', undefined, signal) })
  const make = can('analyst') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => url.set({ new: 1 })}>
      {t('metrics.new')}
    </Button>
  )
  return (
    <Page title={t('metrics.title')} about={t('metrics.lead')} actions={make}>
      <Loaded query={query}>
        {(data) =>
          data.metrics.length === 0 ? (
            <Panel>
              <EmptyState picture="curve" title={t('metrics.none')} action={make}>
                {t('metrics.none.about')}
              </EmptyState>
            </Panel>
          ) : (
            <Panel label={t('metrics.title')} flush>
              <DataTable<ShownMetric>
                size="small"
                rowKey={(one) => one.metric.key}
                dataSource={data.metrics}
                pagination={false}
                scroll={{ x: 760 }}
                columns={[
                  { title: t('metrics.name'), render: (_, one) => <Link to={`/analysis/metrics/${one.metric.key}`}>{one.metric.name}</Link> },
                  { title: t('metrics.key'), render: (_, one) => <span className="mono small">{one.metric.key}</span> },
                  { title: t('metrics.kind'), render: (_, one) => t(`metrics.kind.${one.metric.kind}` as MessageKey) },
                  { title: t('metrics.unit'), render: (_, one) => t(`metrics.unit.${one.unit}` as MessageKey) },
                  { title: t('metrics.uses'), align: 'right', render: (_, one) => format.count(one.uses.length) },
                  { title: t('metrics.version'), align: 'right', dataIndex: 'version' },
                  { title: t('metrics.owner'), render: (_, one) => one.metric.owner },
                ]}
              />
            </Panel>
          )
        }
      </Loaded>
      {url.get('new') === '1' && can('analyst') && (
        <MetricForm
          value={{}}
          fixed={false}
          close={() => url.set({ new: null })}
          save={(metric) =>
            act(async () => {
              await http.post('/metrics', metric)
              await client.invalidateQueries({ queryKey: ['metrics'] })
              void navigate(`/analysis/metrics/${metric.key}`)
            }, t('metrics.saved'))
          }
        />
      )}
    </Page>
  )
}
