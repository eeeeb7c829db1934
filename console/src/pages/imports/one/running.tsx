import { useMutation } from '@tanstack/react-query'
import { App, Button, Progress } from 'antd'
import { http } from '@/api/client'
import type { Import } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { useCan } from '@/shell/session'
import { ProblemView } from '@/ui/problem'
import { useKeepImport } from '../queries'

export function Running({ one }: { one: Import }) {
  const { t } = useLanguage()
  const format = useFormat()
  const can = useCan()
  const keep = useKeepImport()
  const { modal } = App.useApp()
  const cancel = useMutation({ mutationFn: () => http.post<Import>(`/imports/${one.id}/cancel`), onSuccess: keep })
  const { progress } = one
  const share = progress && progress.bytes_total > 0 ? Math.min(1, progress.bytes_done / progress.bytes_total) : 0

  return (
    <section className="panel inside">
      <div className="stack">
        <div className="row between">
          <h2 style={{ fontSize: 18 }} aria-live="polite">
            {progress ? t(`imports.running.${progress.phase}`) : t('imports.running.starting')}
          </h2>
          <span className="num" style={{ fontSize: 18, fontWeight: 600 }}>
            {format.percent(share, 0)}
          </span>
        </div>
        <Progress percent={share * 100} status="active" showInfo={false} aria-label={t('imports.step.run')} />
        {progress && (
          <p className="muted num" style={{ whiteSpace: 'normal' }}>
            {[
              t('imports.running.rows', { n: progress.rows_read }),
              t('imports.running.rate', { n: Math.round(progress.rate) }),
              t('imports.running.bytes', { done: format.bytes(progress.bytes_done), total: format.bytes(progress.bytes_total) }),
              progress.seconds_left === null ? '' : t('imports.running.left', { time: format.duration(progress.seconds_left) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        )}
        <p className="small muted">{t('imports.running.about')}</p>
        {cancel.error && <ProblemView error={cancel.error} />}
        {can('operator') && (
          <div>
            <Button
              danger
              loading={cancel.isPending}
              onClick={() =>
                void modal.confirm({
                  title: t('imports.cancel.confirm'),
                  content: t('imports.cancelled.safe'),
                  okText: t('imports.cancel'),
                  cancelText: t('imports.cancel.keep'),
                  okButtonProps: { danger: true },
                  onOk: () => cancel.mutate(),
                })
              }
            >
              {t('imports.cancel')}
            </Button>
          </div>
        )}
      </div>
    </section>
  )
}
