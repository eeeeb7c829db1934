import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { PlanIssue } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { useAct } from '@/ui/use-act'

export function IssuesTab({ issues }: { issues: PlanIssue[] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const client = useQueryClient()
  if (issues.length === 0)
    return (
      <EmptyState picture="done" title={t('plan.issues.none')}>
        {t('plan.issues.none.about')}
      </EmptyState>
    )
  return (
    <div className="stack">
      <div className="row">
        <Link to="/data/quarantine">{t('plan.issues.quarantine')}</Link>
        {can('operator') && (
          <Button
            size="small"
            onClick={() =>
              void act(async () => {
                await http.delete('/plan/issues')
                await client.invalidateQueries({ queryKey: ['plan', 'issues'] })
              }, t('plan.issues.forgotten'))
            }
          >
            {t('plan.issues.forget')}
          </Button>
        )}
      </div>
      <DataTable<PlanIssue>
        rowKey={(one) => `${one.source}:${one.event}:${one.field}:${one.reason}`}
        size="small"
        dataSource={issues}
        scroll={{ x: 720 }}
        pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        columns={[
          { title: t('plan.event'), dataIndex: 'event' },
          { title: t('plan.field'), render: (_, one) => <span className="mono">{one.field}</span> },
          { title: t('plan.reason'), dataIndex: 'reason' },
          { title: t('plan.source'), dataIndex: 'source' },
          { title: t('plan.events'), align: 'right', render: (_, one) => format.count(one.events) },
          { title: t('plan.last'), render: (_, one) => <span title={format.instantFull(one.last_at)}>{format.ago(one.last_at)}</span> },
        ]}
      />
    </div>
  )
}
