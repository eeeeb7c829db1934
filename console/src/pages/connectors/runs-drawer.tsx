import { useQuery } from '@tanstack/react-query'
import { Drawer } from 'antd'
import { http } from '@/api/client'
import type { Pull, PullRun } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { DataTable } from '@/ui/data-table'
import { Loaded } from '@/ui/loaded'
import { Pill, type Tone } from '@/ui/pill'

const tones: Record<PullRun['status'], Tone> = { running: 'info', done: 'good', failed: 'bad', stopped: 'warn' }

/** What each run read, what became of it, and how far it came. */
export function RunsDrawer({ pull, close }: { pull: Pull; close: () => void }) {
  const { t } = useLanguage()
  const format = useFormat()
  const query = useQuery({
    queryKey: ['pulls', pull.key, 'runs'],
    queryFn: ({ signal }) => http.get<{ runs: PullRun[] }>(`/pulls/${encodeURIComponent(pull.key)}/runs`, undefined, signal),
    refetchInterval: 3_000,
  })
  const took = (run: PullRun) => (run.ended_at ? (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000 : null)
  return (
    <Drawer open size="large" onClose={close} title={t('pulls.history.of', { name: pull.title })}>
      <Loaded query={query}>
        {(data) =>
          data.runs.length === 0 ? (
            <p className="muted">{t('pulls.history.none')}</p>
          ) : (
            <DataTable<PullRun>
              rowKey="id"
              size="small"
              dataSource={data.runs}
              pagination={{ pageSize: 20, hideOnSinglePage: true }}
              scroll={{ x: 860 }}
              columns={[
                {
                  title: t('pulls.run.started'),
                  render: (_, run) => (
                    <>
                      {format.instant(run.started_at)}
                      <div className="small muted">
                        {t(run.trigger === 'hand' ? 'pulls.by.hand' : 'pulls.by.schedule')}
                        {took(run) !== null && ` · ${format.duration(took(run))}`}
                      </div>
                    </>
                  ),
                },
                {
                  title: t('pulls.run.status'),
                  width: 220,
                  render: (_, run) => (
                    <>
                      <Pill tone={tones[run.status]}>{t(`pulls.run.status.${run.status}`)}</Pill>
                      {run.error && <div className="small" style={{ overflowWrap: 'anywhere' }}>{run.error}</div>}
                    </>
                  ),
                },
                { title: t('pulls.run.rows'), align: 'right', render: (_, run) => format.count(run.rows) },
                { title: t('pulls.run.accepted'), align: 'right', render: (_, run) => format.count(run.accepted) },
                { title: t('pulls.run.duplicate'), align: 'right', render: (_, run) => format.count(run.duplicate) },
                { title: t('pulls.run.quarantined'), align: 'right', render: (_, run) => format.count(run.quarantined) },
                { title: t('pulls.run.skipped'), align: 'right', render: (_, run) => format.count(run.skipped + run.dropped) },
                { title: t('pulls.mark'), width: 220, render: (_, run) => <span className="small" style={{ overflowWrap: 'anywhere' }}>{`${run.mark_before ?? t('pulls.mark.none')} → ${run.mark_after ?? run.mark_before ?? t('pulls.mark.none')}`}</span> },
              ]}
            />
          )
        }
      </Loaded>
    </Drawer>
  )
}
