import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Skeleton } from 'antd'
import { http } from '@/api/client'
import type { ClvQuestion, ClvResult } from '@/api/types'
import { useFormat } from '@/format/use-format'
import { useLanguage } from '@/i18n/language'
import { AsCode } from '@/ui/as-code'
import { EmptyState } from '@/ui/empty'
import { ExportButton } from '@/ui/export-button'
import { Notices } from '@/ui/notices'
import { Page, Panel } from '@/ui/page'
import { ProblemView } from '@/ui/problem'
import { CalibrationChart } from './calibration-chart'
import { Forecasts } from './forecasts'
import { Headline } from './headline'
import { Parameters } from './parameters'
import { Question } from './question'
import { useQuestion } from './use-question'

export default function ClvPage() {
  const { t } = useLanguage()
  const format = useFormat()
  const client = useQueryClient()
  const { asked, question } = useQuestion()
  const answer = useQuery({
    queryKey: ['clv', question],
    queryFn: ({ signal }) => http.post<ClvResult>('/query/clv', question, undefined, signal),
    enabled: asked,
    staleTime: Infinity,
  })
  const result = asked ? answer.data : undefined
  return (
    <Page
      title={t('clv.title')}
      about={t('clv.about')}
      asOf={result && t('clv.asof', { day: format.day(result.as_of), took: format.milliseconds(result.took_ms) })}
      actions={
        result && (
          <>
            <AsCode path="/query/clv" body={question} />
            <ExportButton method="POST" path="/query/clv/export" body={question} name={`clv-${question.model}`} label={t('clv.export')} />
          </>
        )
      }
    >
      <Question busy={asked && answer.isFetching} />
      {!asked && (
        <Panel>
          <EmptyState picture="curve" title={t('clv.start')}>
            {t('clv.start.about')}
          </EmptyState>
        </Panel>
      )}
      {asked && answer.error !== null && <ProblemView error={answer.error} retry={() => void answer.refetch()} />}
      {asked && answer.isPending && answer.fetchStatus === 'idle' && (
        <Panel>
          <p className="muted">{t('action.stopped')}</p>
        </Panel>
      )}
      {asked && answer.isPending && answer.fetchStatus !== 'idle' && (
        <Panel>
          <p className="muted" role="status" style={{ marginBottom: 12 }}>
            {t('clv.working')}
          </p>
          <Skeleton active title={false} paragraph={{ rows: 8, width: '100%' }} />
          <Button onClick={() => void client.cancelQueries({ queryKey: ['clv', question] })}>{t('action.stop')}</Button>
        </Panel>
      )}
      {result && (
        <>
          <Notices notices={result.warnings} />
          <Result result={result} question={question} />
        </>
      )}
    </Page>
  )
}

function Result({ result, question }: { result: ClvResult; question: ClvQuestion }) {
  const { t } = useLanguage()
  return (
    <>
      <Headline result={result} />
      <div className="split">
        {result.holdout ? (
          <CalibrationChart holdout={result.holdout} />
        ) : (
          <Panel title={t('clv.holdout')}>
            <EmptyState picture="curve" title={t('clv.holdout.none')}>
              {t('clv.holdout.none.about')}
            </EmptyState>
          </Panel>
        )}
        <Parameters result={result} />
      </div>
      <Forecasts result={result} question={question} />
    </>
  )
}
