import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { http } from '@/api/client'
import type { Drift, DriftNotice } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { DataTable } from '@/ui/data-table'
import { EmptyState } from '@/ui/empty'
import { Pill } from '@/ui/pill'
import { useAct } from '@/ui/use-act'

/** What changed in the data, since when, and who has looked at it. */
export function DriftTab({ notices }: { notices: DriftNotice[] }) {
  const { t } = useLanguage()
  const format = useFormat()
  const act = useAct()
  const client = useQueryClient()
  const can = useCan()
  async function acknowledge(one: DriftNotice) {
    await act(() => http.post(`/plan/drift/${one.id}/acknowledge`, {}), t('plan.drift.done'))
    await client.invalidateQueries({ queryKey: ['plan', 'drift'] })
  }
  if (notices.length === 0)
    return (
      <EmptyState picture="done" title={t('plan.drift.none')}>
        {t('plan.drift.about')}
      </EmptyState>
    )
  return (
    <div className="stack">
      <p className="muted" style={{ margin: 0 }}>{t('plan.drift.about')}</p>
      <DataTable<DriftNotice>
        rowKey="id"
        size="small"
        dataSource={notices}
        scroll={{ x: 640 }}
        pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
        columns={[
          { title: t('plan.drift.what'), render: (_, one) => <DriftLine drift={one.drift} /> },
          { title: t('plan.drift.since'), render: (_, one) => <span title={format.instantFull(one.first_at)}>{format.ago(one.first_at)}</span> },
          {
            title: t('plan.drift.state'),
            render: (_, one) =>
              one.ended_at ? (
                <span className="muted">{t('plan.drift.over', { when: format.ago(one.ended_at) })}</span>
              ) : one.acknowledged_at ? (
                <Pill>{t('plan.drift.acknowledged', { who: one.acknowledged_by ?? '' })}</Pill>
              ) : (
                <Pill tone="warn">{t('plan.drift.open')}</Pill>
              ),
          },
          {
            title: <span className="sr">{t('plan.drift.acknowledge')}</span>,
            align: 'right',
            render: (_, one) =>
              can('operator') && !one.acknowledged_at && !one.ended_at && (
                <Button size="small" onClick={() => void acknowledge(one)}>
                  {t('plan.drift.acknowledge')}
                </Button>
              ),
          },
        ]}
      />
    </div>
  )
}

function DriftLine({ drift }: { drift: Drift }) {
  const { t } = useLanguage()
  const told = { event: drift.event, property: drift.property ?? '', before: drift.before, now: drift.now }
  if (drift.kind === 'stopped') return <>{t('plan.drift.stopped', told)}</>
  if (drift.kind === 'volume') return <>{t('plan.drift.volume', told)}</>
  if (drift.kind === 'type') return <>{t('plan.drift.type', told)}</>
  return <>{t('plan.drift.vanished', told)}</>
}
