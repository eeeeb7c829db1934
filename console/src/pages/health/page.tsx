import { Alert, Button } from 'antd'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { Health } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { Loaded } from '@/ui/loaded'
import { Page, Panel } from '@/ui/page'
import { Facts, Stats } from '@/ui/stats'
import { useAct } from '@/ui/use-act'
import { EventsByName } from './events-by-name'

export default function HealthPage() {
  const { t } = useLanguage()
  const health = useQuery({ queryKey: ['health'], queryFn: ({ signal }) => http.get<Health>('/data/health', undefined, signal), refetchInterval: 10_000 })
  return (
    <Page title={t('health.title')} about={t('health.about')}>
      <Loaded query={health} rows={12}>
        {(data) => (
          <>
            <State health={data} />
            <Numbers health={data} />
            <div className="halves">
              <Flow health={data} />
              <Upkeep health={data} />
            </div>
            <EventsByName events={data.events} />
          </>
        )}
      </Loaded>
    </Page>
  )
}

function State({ health }: { health: Health }) {
  const { t } = useLanguage()
  if (!health.flush.last_error && !health.compaction.last_error) {
    const waiting = health.quarantine.open + health.imports.failed + health.imports.interrupted > 0
    return <Alert type={waiting ? 'info' : 'success'} showIcon title={t(waiting ? 'health.running' : 'health.good')} description={waiting ? t('health.running.about', { rows: health.quarantine.open, imports: health.imports.failed + health.imports.interrupted }) : t('health.good.about')} />
  }
  return (
    <>
      {health.flush.last_error && <Alert type="error" showIcon title={t('health.flush.error')} description={`${health.flush.last_error} ${t('health.flush.safe')}`} />}
      {health.compaction.last_error && <Alert type="warning" showIcon title={t('health.compaction.error')} description={`${health.compaction.last_error} ${t('health.compaction.safe')}`} />}
    </>
  )
}

function Numbers({ health }: { health: Health }) {
  const { t } = useLanguage()
  const format = useFormat()
  const { lake, tail, disk, quarantine } = health
  return (
    <Stats
      label={t('health.stats')}
      items={[
        { key: 'events', label: t('health.events'), value: format.count(lake.rows + tail.events), detail: lake.first_ts ? t('health.events.detail', { first: format.dayOf(lake.first_ts), last: format.dayOf(lake.last_ts) }) : undefined },
        { key: 'size', label: t('health.size'), value: format.bytes(lake.bytes), detail: t('health.size.detail', { files: lake.files, partitions: lake.partitions }) },
        { key: 'tail', label: t('health.tail'), value: format.count(tail.events), detail: tail.events > 0 ? t('health.tail.detail', { when: format.ago(tail.oldest) }) : t('health.tail.none') },
        { key: 'quarantine', label: t('health.quarantine'), value: <Link to="/data/quarantine">{format.count(quarantine.open)}</Link>, detail: t('health.quarantine.detail', { replayed: quarantine.replayed, dismissed: quarantine.dismissed }) },
        { key: 'disk', label: t('health.disk'), value: format.percent(disk.total > 0 ? disk.free / disk.total : 0, 0), detail: t('health.disk.detail', { ratio: `${format.bytes(disk.free)} / ${format.bytes(disk.total)}` }) },
      ]}
    />
  )
}

function Flow({ health }: { health: Health }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const client = useQueryClient()
  const flush = useMutation({ mutationFn: () => http.post('/data/flush'), onSettled: () => client.invalidateQueries({ queryKey: ['health'] }) })
  const { intake, imports } = health
  return (
    <Panel
      title={t('health.flow')}
      extra={
        can('admin') && (
          <Button size="small" loading={flush.isPending} onClick={() => void act(() => flush.mutateAsync(), t('health.flush.done'))}>
            {t('health.flush.now')}
          </Button>
        )
      }
    >
      <Facts
        right
        items={[
          { key: 'rows', label: t('health.intake.rows'), value: format.count(intake.rows) },
          { key: 'seq', label: t('health.intake.seq'), value: `${format.count(intake.last_seq)} / ${format.count(intake.flushed_seq)}` },
          { key: 'flush', label: t('health.flush.last'), value: health.flush.last_at ? <span title={format.instantFull(health.flush.last_at)}>{format.ago(health.flush.last_at)}</span> : t('health.never') },
          { key: 'imports', label: t('health.imports'), value: <Link to="/data/imports">{t('health.imports.line', imports)}</Link> },
        ]}
      />
    </Panel>
  )
}

function Upkeep({ health }: { health: Health }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const act = useAct()
  const client = useQueryClient()
  const compact = useMutation({ mutationFn: () => http.post('/data/compact'), onSettled: () => client.invalidateQueries({ queryKey: ['health'] }) })
  const { compaction, lake, database } = health
  const needed = compaction.running ? t('health.compaction.running') : compaction.needed ? t('health.compaction.yes', { n: lake.small_files }) : t('health.compaction.no', { n: lake.small_files })
  return (
    <Panel
      title={t('health.keep')}
      extra={
        can('admin') && (
          <Button size="small" loading={compact.isPending || compaction.running} onClick={() => void act(() => compact.mutateAsync(), t('health.compact.done'))}>
            {t('health.compact.now')}
          </Button>
        )
      }
    >
      <Facts
        right
        items={[
          { key: 'last', label: t('health.compaction.last'), value: compaction.last_at ? <span title={format.instantFull(compaction.last_at)}>{format.ago(compaction.last_at)}</span> : t('health.never') },
          { key: 'needed', label: t('health.compaction.needed'), value: needed },
          { key: 'cache', label: t('health.cache'), value: format.bytes(lake.sequence_cache_bytes) },
          { key: 'version', label: t('health.version'), value: format.count(lake.version) },
          { key: 'database', label: t('health.database'), value: `${database.kind === 'postgresql' ? 'PostgreSQL' : 'SQLite'}, ${format.bytes(database.bytes)}` },
        ]}
      />
    </Panel>
  )
}
