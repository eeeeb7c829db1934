import { useMutation } from '@tanstack/react-query'
import { Alert, Button } from 'antd'
import { Link } from 'react-router'
import { http } from '@/api/client'
import type { Import, ImportSummary } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { ProblemView } from '@/ui/problem'
import { Stats } from '@/ui/stats'
import { useKeepImport } from '../queries'
import { RowFates } from './row-fates'

/** How it ended: what happened, what is safe, what to do next. */
export function Outcome({ one }: { one: Import }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const keep = useKeepImport()
  const resume = useMutation({ mutationFn: () => http.post<Import>(`/imports/${one.id}/resume`), onSuccess: keep })
  const start = useMutation({
    mutationFn: () => http.post<Import>(`/imports/${one.id}/start`, { map: one.proposal?.map, options: one.proposal?.options, dry_run: false }),
    onSuccess: keep,
  })
  const { summary } = one
  const real = can('operator') && one.status === 'done' && one.dry_run && one.proposal !== null

  return (
    <>
      {one.status === 'done' && <Alert type={one.dry_run ? 'info' : 'success'} showIcon title={one.dry_run ? t('imports.done.dry') : t('imports.done', { time: format.duration(summary?.seconds) })} description={one.dry_run ? t('imports.done.dry.about') : undefined} />}
      {one.status === 'failed' && (
        <section className="problem" role="alert">
          <h2>{t('imports.failed')}</h2>
          <p>
            {one.error?.field && <span className="mono">{one.error.field} · </span>}
            {one.error?.reason}
          </p>
          <p className="muted">
            {t('imports.failed.safe')} {t('imports.failed.do')}
          </p>
        </section>
      )}
      {one.status === 'interrupted' && <Alert type="warning" showIcon title={t('imports.interrupted')} description={<>{one.error?.reason && <p>{one.error.reason}</p>}{t('imports.interrupted.safe')}</>} />}
      {one.status === 'cancelled' && <Alert type="info" showIcon title={t('imports.cancelled')} description={t('imports.cancelled.safe')} />}
      {resume.error && <ProblemView error={resume.error} />}
      {start.error && <ProblemView error={start.error} />}
      {summary && <SummaryNumbers one={one} summary={summary} />}
      {summary && <RowFates summary={summary} />}
      <div className="row">
        {can('operator') && one.status === 'interrupted' && (
          <Button type="primary" loading={resume.isPending} onClick={() => resume.mutate()}>
            {t('imports.resume')}
          </Button>
        )}
        {real && (
          <Button type="primary" loading={start.isPending} onClick={() => start.mutate()}>
            {t('imports.next.real')}
          </Button>
        )}
        {can('operator') && (one.status === 'failed' || one.status === 'cancelled') && (
          <Link to={`/data/imports/new?kind=${one.kind}`}>
            <Button type="primary">{t('imports.again')}</Button>
          </Link>
        )}
      </div>
      {one.status === 'done' && !one.dry_run && (
        <nav className="cards" aria-label={t('imports.next')}>
          {one.kind === 'orders' && (
            <Link to="/people/layerings" className="choice">
              <strong>{t('imports.next.layers')}</strong>
              <span>{t('imports.next.layers.about')}</span>
            </Link>
          )}
          {summary && summary.rows_quarantined > 0 && (
            <Link to={`/data/quarantine?import_id=${one.id}`} className="choice">
              <strong>{t('imports.next.quarantine', { n: summary.rows_quarantined })}</strong>
            </Link>
          )}
          <Link to="/" className="choice">
            <strong>{t('imports.next.overview')}</strong>
          </Link>
        </nav>
      )}
    </>
  )
}

function SummaryNumbers({ one, summary }: { one: Import; summary: ImportSummary }) {
  const { t } = useLanguage()
  const format = useFormat()
  const money = (value: ImportSummary['revenue']) => format.money({ amount: value.minor, currency: value.currency })
  const items = [
    { key: 'people', label: t('imports.result.people'), value: format.count(summary.people), detail: t('imports.result.people.detail', { n: summary.new_people }) },
    ...(one.kind === 'orders'
      ? [
          { key: 'orders', label: t('imports.result.orders'), value: format.count(summary.orders), detail: t('imports.result.orders.detail', { buyers: summary.buyers, refunds: summary.refund_orders }) },
          { key: 'revenue', label: t('imports.result.revenue'), value: money(summary.revenue), detail: t('imports.result.revenue.detail', { refunds: money(summary.refunds) }) },
        ]
      : []),
    ...(one.kind === 'events' ? [{ key: 'events', label: t('imports.result.events'), value: format.count(summary.events) }] : []),
    ...(summary.first ? [{ key: 'span', label: t('imports.result.span'), value: <span style={{ fontSize: 18 }}>{format.dayOf(summary.first)}</span>, detail: t('imports.result.span.to', { day: format.dayOf(summary.last) }) }] : []),
  ]
  return <Stats label={t('imports.result')} items={items} />
}
