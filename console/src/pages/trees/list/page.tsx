import { PlusOutlined } from '@ant-design/icons'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { Link, useNavigate } from 'react-router'
import { http } from '@/api/client'
import type { ShownTree, TreeList } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { TreeForm } from '@/measure/tree-form'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { useAct } from '@/ui/use-act'
import { useUrlState } from '@/url/use-url-state'

export default function TreesPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const url = useUrlState()
  const client = useQueryClient()
  const navigate = useNavigate()
  const query = useQuery({ queryKey: ['trees'], queryFn: ({ signal }) => http.get<TreeList>('/trees', undefined, signal) })
  const make = can('analyst') && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => url.set({ new: 1 })}>
      {t('trees.new')}
    </Button>
  )
  return (
    <Page title={t('trees.title')} about={t('trees.about')} actions={make}>
      <Loaded query={query}>
        {(data) =>
          data.trees.length === 0 ? (
            <Panel>
              <EmptyState picture="layers" title={t('trees.none')} action={make}>
                {t('trees.none.about')}
              </EmptyState>
            </Panel>
          ) : (
            <Panel label={t('trees.title')} flush>
              <DataTable<ShownTree>
                size="small"
                rowKey={(one) => one.tree.key}
                dataSource={data.trees}
                pagination={false}
                scroll={{ x: 480 }}
                columns={[
                  { title: t('metrics.name'), render: (_, one) => <Link to={`/analysis/trees/${one.tree.key}`}>{one.tree.name}</Link> },
                  { title: t('analysis.saved.by'), dataIndex: 'by' },
                  { title: t('analysis.saved.when'), render: (_, one) => <span title={format.instantFull(one.changed_at)}>{format.ago(one.changed_at)}</span> },
                ]}
              />
            </Panel>
          )
        }
      </Loaded>
      {url.get('new') === '1' && can('analyst') && (
        <TreeForm
          value={{ key: '', name: '', about: '', root: { id: 'root', name: '', metric: '' } }}
          fixed={false}
          close={() => url.set({ new: null })}
          save={(tree) =>
            act(async () => {
              await http.post('/trees', tree)
              await client.invalidateQueries({ queryKey: ['trees'] })
              void navigate(`/analysis/trees/${tree.key}`)
            }, t('trees.saved'))
          }
        />
      )}
    </Page>
  )
}
